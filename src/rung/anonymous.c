/* rung/anonymous.c: relocation under the program's feet. See rung/anonymous.h. */
#include "anonymous.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "../codepages.h"
#include "../memory.h"
#include "../spare.h"
#include "../sys.h"
#include "advice.h"

static size_t length_of(const struct piece *piece)
{
	return piece->end - piece->start;
}

/* Address space for the pages while they are away. */
static long reserve(size_t length, int protection)
{
	return sys_mmap(0, length, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/* What the kernel refuses to move (mseal(2) gives EPERM) says nothing of policies. */
static long move_over(uintptr_t from, uintptr_t to, size_t length)
{
	long result = sys_mremap(from, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to);

	return sys_failed(result) ? -EBUSY : 0;
}

/* In a child of fork the thread that moved pages just then does not exist: they
 * are brought back. AWAY while nobody holds the lock: they could not be. */
static struct {
	enum { NOTHING, AWAY, HELD } step;
	struct piece piece;
	uintptr_t away;
} under_way;

static void begin(int step, const struct piece *piece, uintptr_t away)
{
	under_way.piece = *piece;
	under_way.away = away;
	atomic_signal_fence(memory_order_seq_cst);
	under_way.step = step;
}

/* Also where nothing came of it the pages keep an entry: a thread may have
 * touched them meanwhile and ask only now. */
static void settle(const struct piece *piece, int protection)
{
	struct code_page page = {
		.state = PAGE_PLAIN,
		.ask = (unsigned)protection,
		.view = (unsigned)protection,
	};

	atomic_signal_fence(memory_order_seq_cst);
	under_way.step = NOTHING;
	codepages_set(piece->start, length_of(piece), page);
}

/* Whoever touches the pages from now on waits for the lock. */
static void hold(const struct piece *piece)
{
	settle(piece, piece->protection);
}

void rung_anonymous_in_child(void)
{
	const struct piece *piece = &under_way.piece;
	size_t length = length_of(piece);
	struct vma vma;

	/* Unless they had not left yet, or were back already. */
	if (under_way.step == AWAY &&
	    (vma_look(piece->start, &vma) || vma.start > piece->start))
		sys_mremap(under_way.away, length, length, MREMAP_MAYMOVE | MREMAP_FIXED,
			   piece->start);
	if (under_way.step != NOTHING)
		sys_mprotect(piece->start, length, piece->protection, -1);
	under_way.step = NOTHING;
}

/* The way back is refused, for want of kernel memory: rather their contents in new
 * pages than nothing at their address. */
static bool bring_back_contents(const struct piece *piece, uintptr_t away)
{
	long made = sys_mmap(piece->start, length_of(piece), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (sys_failed(made))
		return false;
	sys_mprotect(away, length_of(piece), PROT_READ, -1);
	memcpy((void *)piece->start, (void *)away, length_of(piece));
	sys_munmap(away, length_of(piece));
	return true;
}

static bool bring_back_pages(const struct piece *piece)
{
	bool back;

	spare_free();
	back = !move_over(under_way.away, piece->start, length_of(piece)) ||
	       bring_back_contents(piece, under_way.away);
	spare_make();
	return back;
}

/* The pages that are away, with the protection that they had. */
static bool bring_back(void)
{
	const struct piece *piece = &under_way.piece;

	if (!bring_back_pages(piece))
		return false;
	sys_mprotect(piece->start, length_of(piece), piece->protection, -1);
	settle(piece, piece->protection);
	return true;
}

/* The program may have something else there by now. */
static bool is_awaited(const struct piece *piece)
{
	struct vma vma;
	long result = vma_look(piece->start, &vma);

	return codepages_get(piece->start).state == PAGE_PLAIN &&
	       (result == -ENOENT || (!result && vma.start >= piece->end));
}

bool rung_anonymous_bring_back(void)
{
	if (under_way.step != AWAY)
		return true;
	if (is_awaited(&under_way.piece))
		return bring_back();
	under_way.step = NOTHING;
	return true;
}

/* glibc may have given the heap's end back, where no hook sees its brk, while the
 * last pages were away. */
static void trim_to_heap(const struct piece *piece, uintptr_t heap_end)
{
	uintptr_t now = page_up((uintptr_t)sys_brk(0));

	if (now >= heap_end || now >= piece->end)
		return;
	if (now < piece->start)
		now = piece->start;
	sys_munmap(now, piece->end - now);
}

long rung_anonymous_move(const struct piece *piece, int protection, int pkey)
{
	size_t length = length_of(piece);
	uintptr_t heap_end = page_up((uintptr_t)sys_brk(0));
	long result = codepages_prepare(piece->start, length);
	long away;

	if (result)
		return result;
	if (!rung_anonymous_bring_back())
		return -ENOMEM;
	away = reserve(length, PROT_NONE);
	if (sys_failed(away))
		return away;
	hold(piece);
	begin(AWAY, piece, (uintptr_t)away);
	result = move_over(piece->start, (uintptr_t)away, length);
	if (result) {
		settle(piece, piece->protection);
		sys_munmap((uintptr_t)away, length);
		return result;
	}
	result = sys_mprotect((uintptr_t)away, length, protection, pkey);

	if (!move_over((uintptr_t)away, piece->start, length))
		settle(piece, result ? piece->protection : protection);
	else
		result = bring_back() ? -EBUSY : -ENOMEM;
	trim_to_heap(piece, heap_end);
	return result;
}

long rung_anonymous_take_away(const struct piece *piece, uintptr_t *away)
{
	size_t length = length_of(piece);
	long made, result;

	if (!rung_anonymous_bring_back())
		return -ENOMEM;
	made = reserve(length, PROT_NONE);
	if (sys_failed(made))
		return made;
	begin(AWAY, piece, (uintptr_t)made);
	result = move_over(piece->start, (uintptr_t)made, length);
	*away = (uintptr_t)made;
	if (result)
		rung_anonymous_end(false);
	return result;
}

void rung_anonymous_end(bool back)
{
	const struct piece *piece = &under_way.piece;

	if (!back) {
		sys_munmap(under_way.away, length_of(piece));
	} else if (!bring_back_pages(piece)) {
		hold(piece); /* the next fault on them tries again */
		under_way.step = AWAY;
		return;
	}
	atomic_signal_fence(memory_order_seq_cst);
	under_way.step = NOTHING;
}

/* The pages that can be read: a mapping may be longer than its file, and what
 * lies past the end raises SIGBUS for the program too. */
static size_t copy_contents(const struct piece *piece, uintptr_t copy)
{
	long copied = sys_copy_memory(sys_getpid(), (void *)copy, piece->start, length_of(piece));

	return sys_failed(copied) ? 0 : page_down((uintptr_t)copied);
}

long rung_anonymous_copy(const struct piece *piece, int protection, int pkey)
{
	size_t length = length_of(piece);
	long result = codepages_prepare(piece->start, length);
	struct vma_advice advice = advice_at(piece->start);
	struct piece readable = *piece;
	long copy;

	if (result)
		return result;
	if (!rung_anonymous_bring_back())
		return -ENOMEM;
	copy = reserve(length, PROT_READ | PROT_WRITE);
	if (sys_failed(copy))
		return copy;
	hold(piece);
	begin(HELD, piece, 0);
	if (piece->protection != PROT_READ &&
	    sys_failed(sys_mprotect(piece->start, length, PROT_READ, -1)))
		result = -EBUSY;
	if (!result) {
		readable.end = piece->start + copy_contents(piece, (uintptr_t)copy);
		arch_synchronise_code((uintptr_t)copy, length_of(&readable));
		result = sys_mprotect((uintptr_t)copy, length, protection, pkey);
	}
	if (!result && readable.end > readable.start)
		result = move_over((uintptr_t)copy, piece->start, length_of(&readable));
	if (result) {
		sys_mprotect(piece->start, length, piece->protection, -1);
		settle(piece, piece->protection);
		sys_munmap((uintptr_t)copy, length);
		return result;
	}
	if (readable.end < piece->end) {
		/* The rest cannot be touched, so whether it may be executed is nobody's
		 * question; a refusal changes nothing. */
		sys_mprotect(readable.end, piece->end - readable.end, protection & ~PROT_EXEC, pkey);
		sys_munmap((uintptr_t)copy + length_of(&readable), piece->end - readable.end);
	}
	settle(piece, protection);
	/* Not before: the pages replaced are locked until then, and both may be too much
	 * for RLIMIT_MEMLOCK. */
	if (readable.end > readable.start)
		advice_give(&advice, readable.start, length_of(&readable));
	return 0;
}
