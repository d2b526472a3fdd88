/* start.c: the constructor, and what must happen before it. See start.h.
 *
 * Two parts. The engine's needs no libc, and happens on the first hooked call
 * of any constructor that runs before ours. What needs the loader (finding the
 * next definitions) or libc (fork handlers) happens in the constructor. */
#include "start.h"

#include <elf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "engine.h"
#include "hook/next.h"
#include "journal.h"
#include "lock.h"
#include "memory.h"
#include "signals.h"

enum { NOT_YET, UNDER_WAY, DONE };

static atomic_int state = NOT_YET;
static struct settings settings;

static const struct door door = {
	.report = journal_event,
	.guard_faults = signals_guard,
};

static void begin(void)
{
	struct settings_error error;
	bool secure = getauxval(AT_SECURE) != 0;

	settings = settings_read(environ, secure, &error);
	if (error.variable) {
		journal_bad_setting(&error);
		return;
	}
	if (settings.mode == MODE_OFF || settings.policy & POLICY_NONE)
		return;
	engine_begin(&settings, &door);
	journal_begin(&settings);
	if (settings.mode == MODE_MEND)
		signals_begin();
}

bool start_engine(void)
{
	int expected = NOT_YET;

	if (atomic_load_explicit(&state, memory_order_acquire) == DONE)
		return true;
	if (!environ || !atomic_compare_exchange_strong(&state, &expected, UNDER_WAY))
		return false;
	begin();
	atomic_store_explicit(&state, DONE, memory_order_release);
	return true;
}

/* ---------------------------------------------------- leaving the children */

static bool is_ours(const char *variable)
{
	return string_after(variable, "JITMEND_MODE=") || string_after(variable, "JITMEND_POLICY=") ||
	       string_after(variable, "JITMEND_LOG=") || string_after(variable, "JITMEND_CHILDREN=");
}

static bool names_us(const char *path, size_t length)
{
	static const char name[] = "libjitmend.so";
	size_t size = sizeof name - 1;

	return length >= size && memcmp(path + length - size, name, size) == 0;
}

/* The list of LD_PRELOAD, in place, without this library. Its parts are
 * separated by colons or blanks (ld.so(8)). */
static void strike_us_out(char *list)
{
	char *to = list;

	while (*list) {
		size_t length = 0;

		while (list[length] && list[length] != ':' && list[length] != ' ')
			length++;
		size_t whole = length + (list[length] != '\0');

		if (!names_us(list, length))
			for (size_t i = 0; i < whole; i++)
				*to++ = list[i];
		list += whole;
	}
	*to = '\0';
}

/* Programs that this one starts get its environment as it now stands. */
static void leave_children(void)
{
	char **to = environ;

	for (char **from = environ; *from; from++) {
		char *list = (char *)string_after(*from, "LD_PRELOAD=");

		if (is_ours(*from))
			continue;
		if (list)
			strike_us_out(list);
		if (!list || *list)
			*to++ = *from;
	}
	*to = NULL;
}

/* ------------------------------------------------------------------- forks */

void start_fork(void)
{
	lock_take_for_fork();
}

void start_fork_over(void)
{
	lock_release_after_fork();
}

void start_child(void)
{
	lock_release_in_child();
	signals_in_child();
}

/* ------------------------------------------------------------ constructor */

__attribute__((constructor)) static void start(void)
{
	start_engine();
	next_begin();
	if (!settings.follow)
		leave_children();
	if (engine_watches())
		pthread_atfork(start_fork, start_fork_over, start_child);
}
