/* backtrace.c: opens an unwinder and asks it. See backtrace.h. */
#include "backtrace.h"

#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <unwind.h>

#include "descriptors.h"
#include "hash.h"
#include "loader.h"
#include "lock.h"
#include "sys.h"
#include "vma.h"

/* Frames of our own, between the unwinder and the host's call. */
#define OWN_FRAMES 16u

typedef _Unwind_Reason_Code walk(_Unwind_Trace_Fn, void *);
typedef uintptr_t address_of(struct _Unwind_Context *);

/* Where the host brought libgcc with it, as C++ programs do. */
extern walk _Unwind_Backtrace __attribute__((weak));
extern address_of _Unwind_GetIP __attribute__((weak));

static int (*by_libunwind)(void **, int);
static walk *by_libgcc;
static address_of *libgcc_address;
static struct vma libgcc_text;
static __thread bool inside;

/* The unwinder's pipe: its two ends as the unwinder knows them, and as descriptors.h
 * has them. */
static struct {
	atomic_bool known;
	int fds[2];
	int handles[2];
} its_pipe;
static __thread bool acquainted; /* libunwind has what it keeps of this thread */
static __thread bool locked;     /* see backtrace_locks_held */

bool backtrace_is_unwinding(void)
{
	return inside;
}

void backtrace_keep_pipe(int fds[2])
{
	uint64_t mask;

	lock_take(&mask);
	for (int i = 0; i < 2; i++) {
		int handle = descriptors_keep(fds[i]);

		if (handle >= 0)
			fds[i] = descriptors_number(handle);
		its_pipe.fds[i] = fds[i];
		its_pipe.handles[i] = handle;
	}
	lock_release(&mask);
	atomic_store(&its_pipe.known, true);
}

/* The host may have wanted one of the numbers for itself, and ours went to another,
 * of which the unwinder knows nothing. */
static bool pipe_is_its_own(void)
{
	if (!atomic_load(&its_pipe.known))
		return true;
	for (int i = 0; i < 2; i++)
		if (descriptors_number(its_pipe.handles[i]) != its_pipe.fds[i] ||
		    !descriptors_is_open(its_pipe.handles[i]))
			return false;
	return true;
}

static void open_libunwind(void)
{
	void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);

	if (library)
		by_libunwind = (int (*)(void **, int))dlsym(library, "unw_backtrace");
}

static void open_libgcc(void)
{
	void *library = dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return;
	by_libgcc = (walk *)dlsym(library, "_Unwind_Backtrace");
	libgcc_address = (address_of *)dlsym(library, "_Unwind_GetIP");
}

void backtrace_begin(void)
{
	bool may_open = loader_may_open();
	uintptr_t frames[2];

	if (may_open)
		open_libunwind();
	by_libgcc = _Unwind_Backtrace;
	libgcc_address = _Unwind_GetIP;
	if (may_open && !by_libunwind && !by_libgcc)
		open_libgcc();
	if (by_libgcc)
		vma_look((uintptr_t)by_libgcc, &libgcc_text);
	/* The first call makes what an unwinder keeps; here it may. */
	backtrace_from((uintptr_t)__builtin_return_address(0), frames, 2);
}

const char *backtrace_unwinder(void)
{
	return by_libunwind ? "libunwind" : by_libgcc && libgcc_address ? "libgcc" : "none";
}

struct collected {
	void **frames;
	int count, most;
};

static _Unwind_Reason_Code collect(struct _Unwind_Context *context, void *argument)
{
	struct collected *to = argument;

	if (to->count == to->most)
		return _URC_END_OF_STACK;
	to->frames[to->count++] = (void *)libgcc_address(context);
	return _URC_NO_REASON;
}

/* libgcc's unwinder calls abort() where it makes nothing of a frame's description, as
 * with what a JIT registers of its own; and it believes what a description says, so that
 * a false one (uftrace's, of functions whose return addresses it changes) leads it to
 * where nothing is. Then the frames until there have to do. */
static __thread void *way_out[ARCH_JUMP_WORDS];
static __thread bool has_way_out;

static void walk_by_libgcc(struct collected *to)
{
	if (arch_setjmp(way_out) == 0) {
		has_way_out = true;
		by_libgcc(collect, to);
	}
	has_way_out = false;
}

/* Whether AT is in the unwinder that this thread is in: a handler of the host's may
 * interrupt it. Without thread-local memory for what is elsewhere. */
static bool is_to_be_left(uintptr_t at)
{
	return at >= libgcc_text.start && at < libgcc_text.end && has_way_out;
}

static void take_way_out(void)
{
	arch_longjmp(way_out);
}

void backtrace_abort(uintptr_t caller)
{
	if (is_to_be_left(caller))
		take_way_out();
}

bool backtrace_fault(ucontext_t *context)
{
	if (!is_to_be_left(arch_instruction(context)))
		return false;
	arch_set_instruction(context, (uintptr_t)take_way_out);
	return true;
}

/* On aarch64 libunwind (1.2 to 1.8.3; mended in its commit 3c4658cb) tells of each return
 * address the byte before, which is in no place where an instruction may stand. */
static int walk_by_libunwind(void **frames, int most)
{
	int count = by_libunwind(frames, most);

	for (int i = 0; i < count; i++)
		frames[i] = (void *)(((uintptr_t)frames[i] + ARCH_INSTRUCTION_ALIGNMENT - 1) &
				     ~(ARCH_INSTRUCTION_ALIGNMENT - 1));
	return count;
}

static int all_frames(void **frames, int most)
{
	struct collected to = { .frames = frames, .most = most };

	if (by_libunwind && pipe_is_its_own() && (acquainted || !locked)) {
		acquainted = true;
		return walk_by_libunwind(frames, most);
	}
	if (by_libgcc && libgcc_address)
		walk_by_libgcc(&to);
	return to.count;
}

/* ------------------------------------------------------------------ forks
 *
 * Unwinders have locks, and take the loader's. A child of fork in which one was
 * held by a thread of its parent would wait for ever, so a fork waits until
 * nobody unwinds. Threads count themselves in and out, spread over several
 * counters that they seldom share. */

#define COUNTERS 32u
#define YIELDS 2000u

static struct {
	_Alignas(64) atomic_uint unwinding;
} counters[COUNTERS] LARGE;
static atomic_uint forks;      /* under way */
static __thread bool was_quiet;
static atomic_bool unsafe;     /* this process began with a lock of an unwinder's held */

static atomic_uint *counter_of_thread(void)
{
	return &counters[(uintptr_t)&inside * HASH_FACTOR >> 59].unwinding;
}

static bool enter(void)
{
	atomic_fetch_add(counter_of_thread(), 1);
	if (atomic_load(&forks) == 0 && !atomic_load(&unsafe))
		return inside = true;
	atomic_fetch_sub(counter_of_thread(), 1);
	return false;
}

static void leave(void)
{
	inside = false;
	atomic_fetch_sub(counter_of_thread(), 1);
}

static bool nobody_unwinds(void)
{
	for (unsigned i = 0; i < COUNTERS; i++)
		if (atomic_load(&counters[i].unwinding))
			return false;
	return true;
}

/* Not for ever: the thread that unwinds may wait for the one that forks. */
void backtrace_before_fork(void)
{
	atomic_fetch_add(&forks, 1);
	was_quiet = nobody_unwinds();
	for (unsigned i = 0; i < YIELDS && !was_quiet && !inside; i++) {
		SYS_CALL(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
		was_quiet = nobody_unwinds();
	}
}

void backtrace_after_fork(void)
{
	atomic_fetch_sub(&forks, 1);
}

void backtrace_in_child(void)
{
	if (!was_quiet)
		atomic_store(&unsafe, true);
	for (unsigned i = 0; i < COUNTERS; i++)
		atomic_store(&counters[i].unwinding, 0);
	atomic_store(&forks, 0);
}

void backtrace_locks_held(bool held)
{
	locked = held;
}

unsigned backtrace_from(uintptr_t call_site, uintptr_t *frames, unsigned most)
{
	void *all[BACKTRACE_MOST + OWN_FRAMES];
	int count = 0, first;
	unsigned kept = 0;

	if (most == 0)
		return 0;
	if (!inside && most > 1 && enter()) {
		count = all_frames(all, (int)(most + OWN_FRAMES));
		leave();
	}
	for (first = 0; first < count && (uintptr_t)all[first] != call_site; first++)
		;
	for (; first < count && kept < most && all[first]; first++)
		frames[kept++] = (uintptr_t)all[first];
	if (kept == 0)
		frames[kept++] = call_site; /* the unwinder did not get so far */
	return kept;
}
