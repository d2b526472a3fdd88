/* start.c: the constructor, and what must happen before it. See start.h.
 *
 * Two parts. The engine's needs no libc, and happens on the first hooked call
 * of any constructor that runs before ours. What needs the loader (finding the
 * next definitions) or libc (fork handlers) happens in the constructor. */
#include "start.h"

#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "backtrace.h"
#include "decoder.h"
#include "descriptors.h"
#include "engine.h"
#include "handover.h"
#include "hook/next.h"
#include "journal.h"
#include "lock.h"
#include "memory.h"
#include "patch.h"
#include "provenance.h"
#include "rtld.h"
#include "signals.h"
#include "store.h"
#include "sys.h"
#include "trampoline.h"

enum { NOT_YET, UNDER_WAY, DONE };

/* What tells the library's fork handlers from others'. Elsewhere the compiler's own
 * start files have it, which are left out: four symbols less to look up. */
extern void *const __dso_handle __attribute__((visibility("hidden")));
void *const __dso_handle = (void *)&__dso_handle;

static atomic_int state = NOT_YET;
static struct settings settings;

/* glibc 2.32 and later. */
extern char __libc_single_threaded __attribute__((weak));

/* Zydis, where memory is made executable that the program may store into: most
 * programs never come here. */
static bool open_decoder(void)
{
	static atomic_bool opened;
	bool done;
	decode *decoder;
	uint64_t mask;

	if (atomic_load_explicit(&opened, memory_order_acquire) || !engine_mends_with_views())
		return true;
	lock_take(&mask);
	done = atomic_load(&opened);
	if (!done && !decoder_open(&decoder)) {
		store_begin(decoder);
		atomic_store_explicit(&opened, true, memory_order_release);
		done = true;
	}
	lock_release(&mask);
	return done;
}

/* A request can be refused, and the stores that come of it cannot. */
static bool guard_faults(void)
{
	return open_decoder() && signals_guard();
}

static const struct door door = {
	.report = journal_event,
	.guard_faults = guard_faults,
	.single_threaded = &__libc_single_threaded,
};

/* The environment's strings are the host's to overwrite (setproctitle does). */
static void keep_log_name(void)
{
	LARGE static char name[4096];
	size_t length = settings.log ? string_length(settings.log) : 0;

	if (length == 0 || length >= sizeof name)
		return;
	memcpy(name, settings.log, length + 1);
	settings.log = name;
}

/* Kernels for one processor may differ in it; all that is counted in pages here
 * counts the usual ones. */
static bool is_page_size_usual(void)
{
	static const struct settings_error error = {
		.variable = "the kernel's page size",
		.reason = "is not 4096 bytes",
	};

	if (getauxval(AT_PAGESZ) == PAGE_BYTES)
		return true;
	settings.mode = MODE_OFF;
	journal_bad_setting(&error);
	return false;
}

/* Before our own signals begin. */
static void release_audit(void)
{
	struct handover *handover = handover_from_audit();

	if (!handover)
		return;
	handover->release(calls_settle);
	if (handover->trampolines)
		trampolines_allow();
	for (unsigned i = 0; i < handover->event_count; i++)
		engine_learn(&handover->events[i]);
	for (unsigned i = 0; i < handover->memory_count; i++)
		engine_adopt(handover->memory[i].start, handover->memory[i].end,
			     handover->memory[i].ask);
}

static void report_audit(void)
{
	const struct handover *handover = handover_from_audit();

	for (unsigned i = 0; handover && i < handover->event_count; i++)
		journal_event(&handover->events[i]);
}

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
	if (!is_page_size_usual())
		return;
	keep_log_name();
	engine_begin(&settings, &door);
	journal_begin(&settings, NULL);
	release_audit();
	if (settings.mode == MODE_MEND)
		signals_begin();
}

/* The vdso's way into the kernel, where it has one of its own. */
static void find_kernel_entry(void)
{
#ifdef ARCH_HAS_KERNEL_ENTRY
	uintptr_t entry = getauxval(AT_SYSINFO);

	if (entry)
		arch_kernel_entry = entry;
#endif
}

static void begin_once(void)
{
	int expected = NOT_YET;

	if (!atomic_compare_exchange_strong(&state, &expected, UNDER_WAY))
		return;
	find_kernel_entry();
	begin();
	atomic_store_explicit(&state, DONE, memory_order_release);
}

bool start_engine(void)
{
	if (atomic_load_explicit(&state, memory_order_acquire) == DONE)
		return true;
	if (environ)
		begin_once();
	return atomic_load_explicit(&state, memory_order_acquire) == DONE;
}

/* ---------------------------------------------------- leaving the children */

static bool is_ours(const char *variable)
{
	return string_after(variable, "JITMEND_MODE=") || string_after(variable, "JITMEND_POLICY=") ||
	       string_after(variable, "JITMEND_LOG=") || string_after(variable, "JITMEND_CHILDREN=") ||
	       string_after(variable, "JITMEND_BACKTRACE=") ||
	       string_after(variable, "JITMEND_TRAMPOLINES=");
}

static bool names_us(const char *path, size_t length)
{
	static const char *const names[] = { "libjitmend.so", "libjitmend-origins.so",
					      "libjitmend-audit.so" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t size = string_length(names[i]);

		if (length >= size && memcmp(path + length - size, names[i], size) == 0)
			return true;
	}
	return false;
}

/* The list of LD_PRELOAD or LD_AUDIT, in place, without our libraries. Its parts are
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

	if (!environ) /* clearenv(3), in a constructor before */
		return;
	for (char **from = environ; *from; from++) {
		char *list = (char *)string_after(*from, "LD_PRELOAD=");

		if (!list)
			list = (char *)string_after(*from, "LD_AUDIT=");
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

/* The thread's own mask while it forks. */
static __thread uint64_t fork_mask;

void start_fork(void)
{
	backtrace_before_fork();
	engine_before_fork(&fork_mask);
}

void start_fork_over(void)
{
	engine_after_fork(&fork_mask);
	backtrace_after_fork();
}

void start_child(void)
{
	descriptors_in_child();
	backtrace_in_child();
	signals_in_child();
	journal_in_child();
	engine_in_child(&fork_mask); /* last: signals may come again */
}

/* The first handlers of all: what others do before a fork is done before memory is
 * made ready for it, and what they do after it, after that. */
void start_watch_forks(void)
{
	static atomic_bool watched;

	if (!start_engine() || !engine_watches() || atomic_exchange(&watched, true))
		return;
	next_begin();
	if (next.register_atfork)
		next.register_atfork(start_fork, start_fork_over, start_child,
				      (void *)&__dso_handle);
}

/* ------------------------------------------------------------ constructor */

__attribute__((constructor)) static void start(void)
{
	if (environ)
		begin_once(); /* with a write: a page that is read first faults twice */
	next_begin();
	if (engine_watches())
		journal_begin_backtraces();
	report_audit();
	provenance_begin(engine_watches());
	if (!settings.follow)
		leave_children();
	start_watch_forks();
	if (engine_may_mend_with_views()) {
		decoder_find();
		/* What it has left was writable and executable before any request here. */
		if (handover_from_audit() && handover_from_audit()->memory_count)
			open_decoder();
		patch_libc();
	}
	if (engine_watches_loader() && !handover_from_audit())
		rtld_watch((uintptr_t)_r_debug.r_brk);
}

__attribute__((destructor)) static void end(void)
{
	journal_end();
}
