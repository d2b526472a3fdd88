/* audit.c: the door for what the dynamic loader does before any constructor.
 *
 * A library for LD_AUDIT (rtld-audit(7)), which the loader maps and relocates before
 * all others but itself, in a namespace of its own, without libc. It holds a copy of
 * the engine, through which the loader's own calls go from then on (rtld.h): objects
 * with text relocations or with segments that are writable and executable load as if
 * nothing were refused. What is settled is kept for the journal of the preloaded
 * library, which takes everything over when it comes to life (handover.h). Where that
 * is not loaded, this engine stays, and nothing is written down.
 *
 * On the first thread, but for the loader's calls where there is no other engine.
 * Freestanding. */
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>

#include "../backtrace.h"
#include "../codepages.h"
#include "../descriptors.h"
#include "../engine.h"
#include "../handover.h"
#include "../hook/symbols.h"
#include "../journal.h"
#include "../lock.h"
#include "../memory.h"
#include "../policy.h"
#include "../rung/views.h"
#include "../settings.h"
#include "../signals.h"
#include "../spare.h"
#include "../sys.h"
#include "../trampoline.h"

#define DOOR __attribute__((visibility("default")))

DOOR unsigned la_version(unsigned version);
DOOR unsigned la_objopen(struct link_map *map, Lmid_t space, uintptr_t *cookie);

static struct handover handover;

/* Nothing has been written yet. */
void journal_end(void)
{
}

bool backtrace_fault(ucontext_t *context)
{
	(void)context;
	return false;
}

static void keep(const struct event *event)
{
	unsigned number = handover.event_count;

	if (number == HANDOVER_EVENTS)
		return;
	handover.requests[number] = *event->request;
	handover.events[number] = *event;
	handover.events[number].request = &handover.requests[number];
	handover.events[number].alone = true;
	handover.event_count++;
}

static const struct door door = {
	.report = keep,
	.guard_faults = signals_guard,
};

/* ------------------------------------------------------------- environment */

/* The environment as the program was given it: there is no libc to ask. */
#define ENVIRONMENT_MOST (6UL << 20) /* execve(2) takes no more, strings and all */
#define VARIABLES_MOST 16u

static size_t read_environment(char *to, size_t size)
{
	long fd = sys_open("/proc/self/environ", O_RDONLY | O_CLOEXEC, 0);
	size_t length = 0;
	long got = 0;

	if (sys_failed(fd))
		return 0;
	do {
		length += (size_t)got;
		got = sys_pread((int)fd, to + length, size - length, (int64_t)length);
	} while (!sys_failed(got) && got > 0);
	sys_close((int)fd);
	return length;
}

/* Those of jitmend's. The strings last as long as their memory, which stays. */
static bool find_variables(char *variables[VARIABLES_MOST + 1])
{
	long made = sys_mmap(0, ENVIRONMENT_MOST, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned count = 0;
	size_t length;
	char *text;

	if (sys_failed(made))
		return false;
	text = (char *)made;
	length = read_environment(text, ENVIRONMENT_MOST - 1);
	for (char *at = text; at < text + length && count < VARIABLES_MOST;
	     at += string_length(at) + 1)
		if (string_after(at, "JITMEND_"))
			variables[count++] = at;
	variables[count] = NULL;
	sys_munmap((uintptr_t)made + page_up(length + 1), ENVIRONMENT_MOST - page_up(length + 1));
	return length > 0;
}

/* -------------------------------------------------------------- handing over */

static void hand_over_run(uintptr_t start, uintptr_t end, const struct code_page *page)
{
	unsigned number = handover.memory_count;

	if (page->state != PAGE_VIEWED || number == HANDOVER_MEMORY)
		return;
	/* What stays in a file of ours is executable now, and no more than that. */
	if (page->backing && views_return(start, end))
		return;
	handover.memory[number].start = start;
	handover.memory[number].end = end;
	handover.memory[number].ask = (int)page->ask;
	handover.memory_count++;
}

static void hand_over_memory(void)
{
	uintptr_t limit = ARCH_ADDRESS_LIMIT, stop;
	struct code_page page;
	uint64_t mask;

	lock_take(&mask);
	for (uintptr_t at = codepages_next(0, limit); at < limit; at = codepages_next(stop, limit)) {
		stop = codepages_run(at, limit, &page);
		hand_over_run(at, stop, &page);
	}
	lock_release(&mask);
}

static void close_descriptors(void)
{
	int fd = -1;

	while ((fd = descriptors_next((unsigned)(fd + 1), DESCRIPTORS_END - 1)) >= 0)
		sys_close(fd);
}

static void release(rtld_settler *settler)
{
	hand_over_memory();
	handover.trampolines = trampolines_allowed();
	spare_free();
	close_descriptors();
	signals_end();
	rtld_hand_over(settler);
}

/* ------------------------------------------------------------------- ld.so */

static bool begin(uintptr_t in_loader)
{
	static struct settings settings;
	char *variables[VARIABLES_MOST + 1];
	struct settings_error error;

	if (!find_variables(variables))
		return false;
	/* With AT_SECURE the loader takes no library of ours. */
	settings = settings_read(variables, false, &error);
	if (error.variable || settings.mode == MODE_OFF)
		return false; /* the preloaded library says it */
	engine_begin(&settings, &door);
	if (!engine_watches() || !engine_watches_loader() || !rtld_watch(in_loader))
		return false;
	if (settings.mode == MODE_MEND)
		signals_begin();
	handover.release = release;
	return true;
}

unsigned la_version(unsigned version)
{
	if (!begin((uintptr_t)__builtin_return_address(0)))
		return 0; /* the loader forgets this library */
	return version < LAV_CURRENT ? version : LAV_CURRENT;
}

unsigned la_objopen(struct link_map *map, Lmid_t space, uintptr_t *cookie)
{
	static const struct symbol meeting = { 0, "jitmend_meet_audit" };
	void (*meet)(struct handover *handover) = NULL;

	(void)cookie;
	if (space != LM_ID_BASE || !symbols_has_soname(map, "libjitmend.so"))
		return 0;
	if (symbols_find_in(map, &meeting, 1, &meet) && meet)
		meet(&handover);
	return 0;
}
