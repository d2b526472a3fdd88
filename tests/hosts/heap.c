/* heap.c: glibc's heap goes on living around, and in, pages that were made
 * code: free, realloc, calloc, trim, and brk moving both ways. */
#include "host.h"

#include <malloc.h>
#include <setjmp.h>
#include <signal.h>

enum { SLOTS = 300 };

struct slot {
	unsigned char *at;
	size_t size;
	int byte;
};

/* mprotect for the whole pages that a piece of memory touches. */
static int protect_around(void *at, size_t size, int protection)
{
	uintptr_t first = (uintptr_t)at & ~(PAGE - 1);
	uintptr_t end = ((uintptr_t)at + size + PAGE - 1) & ~(PAGE - 1);

	return do_mprotect((void *)first, end - first, protection);
}

/* A page is code, data, code again; its neighbours are as they were. */
static void cycle(void)
{
	unsigned char *memory = heap_pages(3);
	bool kept = true, right = true;
	int i;

	memset(memory, 0x11, PAGE);
	memset(memory + PAGE, 0x22, PAGE);
	memset(memory + 2 * PAGE, 0x33, PAGE);
	for (i = 0; i < 200; i++) {
		code_write(memory + PAGE, i);
		must(do_mprotect(memory + PAGE, PAGE, i % 2 ? RWX : RX) == 0, "to code");
		right = right && code_run(memory + PAGE) == i;
		must(do_mprotect(memory + PAGE, PAGE, RW) == 0, "to data");
		kept = kept && all_bytes(memory, PAGE, 0x11) &&
			all_bytes(memory + PAGE + CODE_BYTES, PAGE - CODE_BYTES, 0x22) &&
			all_bytes(memory + 2 * PAGE, PAGE, 0x33);
	}
	say("right %d, kept %d", right, kept);
	say_protection("pages", memory, 3);
	free(memory);
}

/* What malloc hands out again is plain memory, and code again if asked. */
static void reuse(void)
{
	bool zero = true, right = true;
	unsigned char *memory, *other;
	int i;

	for (i = 0; i < 200; i++) {
		memory = heap_pages(1 + (size_t)i % 3);
		code_write(memory, i);
		must(do_mprotect(memory, PAGE, RWX) == 0, "to code");
		right = right && code_run(memory) == i;
		if (i % 4)
			must(do_mprotect(memory, PAGE, RW) == 0, "to data");
		free(memory);
		other = calloc(3, PAGE);
		must(other, "calloc");
		zero = zero && all_bytes(other, 3 * PAGE, 0);
		memset(other, 0xff, 3 * PAGE);
		free(other);
	}
	say("right %d, zero %d", right, zero);
}

/* realloc grows over a page that is code, in place or by moving. */
static void grow(void)
{
	size_t size = 5000, before;
	unsigned char *memory = malloc(size), *block;
	bool kept = true;
	int i;

	must(memory, "malloc");
	memset(memory, 0x42, size);
	for (i = 0; i < 60; i++) {
		must(protect_around(memory, size, RWX) == 0, "to code");
		before = size;
		size += 3000;
		memory = realloc(memory, size);
		must(memory, "realloc");
		kept = kept && all_bytes(memory, before, 0x42);
		memset(memory + before, 0x42, size - before);
		if (i % 7 == 0) {
			/* In the way, so that the next step must move. */
			block = malloc(100);
			must(block, "malloc");
			memset(block, 1, 100);
		}
	}
	while (size > 5000) {
		size -= 7000;
		memory = realloc(memory, size);
		must(memory, "realloc");
		kept = kept && all_bytes(memory, size, 0x42);
		must(protect_around(memory, size, i++ % 2 ? RW : RWX) == 0, "mprotect");
	}
	say("kept %d", kept);
	free(memory);
}

/* Pages that were code are trimmed away, and come back as data. */
static void trim(void)
{
	enum { BLOCKS = 64, BLOCK = 4 * (int)PAGE };
	unsigned char *memory, *end, *back, *piece;
	bool zero = true;
	int i;

	/* No posix_memalign: what it cuts off would lie between the block and
	 * the heap's end. */
	mallopt(M_TRIM_THRESHOLD, 64 * 1024);
	memory = malloc((BLOCKS + 1) * BLOCK);
	must(memory, "malloc");
	for (i = 0; i < BLOCKS; i++) {
		piece = memory + PAGE - (uintptr_t)memory % PAGE + (size_t)i * BLOCK;
		memset(piece, 0xcc, BLOCK);
		code_write(piece, i);
		must(do_mprotect(piece, 2 * PAGE, RWX) == 0, "to code");
		must(code_run(piece) == i, "code");
	}
	end = sbrk(0);
	free(memory);
	malloc_trim(0);
	say("brk went down: %d", (unsigned char *)sbrk(0) < end - 100 * PAGE);
	say_protection("first page beyond", (void *)(((uintptr_t)sbrk(0) + PAGE - 1) & ~(PAGE - 1)), 1);
	back = calloc(BLOCKS, BLOCK);
	must(back, "calloc");
	say("zero %d", all_bytes(back, BLOCKS * (size_t)BLOCK, 0));
	for (i = 0; i < BLOCKS; i++) {
		must(protect_around(back + (size_t)i * BLOCK, BLOCK, RWX) == 0, "to code again");
		zero = zero && all_bytes(back + (size_t)i * BLOCK, BLOCK, 0);
		memset(back + (size_t)i * BLOCK, 0xff, BLOCK);
	}
	free(back);
	malloc_trim(0);
	for (i = 0; i < BLOCKS; i++) {
		back = calloc(4, PAGE);
		must(back, "calloc");
		zero = zero && all_bytes(back, 4 * PAGE, 0);
	}
	say("zero %d", zero);
}

static sigjmp_buf faulted;

static void on_fault(int number)
{
	siglongjmp(faulted, number);
}

/* Whether the code at AT runs, or faults. */
static const char *try_to_run(const void *at)
{
	struct sigaction action = { .sa_handler = on_fault }, before;
	const char *answer = "faults";

	sigemptyset(&action.sa_mask);
	sigaction(SIGSEGV, &action, &before);
	if (!sigsetjmp(faulted, 1)) {
		code_run(at);
		answer = "runs";
	}
	sigaction(SIGSEGV, &before, NULL);
	return answer;
}

/* brk itself goes below a code page and comes back. */
static void moving_brk(void)
{
	unsigned char *memory;
	int i;

	for (i = 0; i < 5; i++) {
		memory = sbrk_pages(4);
		say("fresh: %d", all_bytes(memory, 4 * PAGE, 0));
		memset(memory, 0x77, 4 * PAGE);
		code_write(memory + PAGE, 100 + i);
		say("as data: %s", try_to_run(memory + PAGE));
		say_result("to code", do_mprotect(memory + PAGE, 2 * PAGE, i % 2 ? RX : RWX));
		say("as code: %s, %d", try_to_run(memory + PAGE), code_run(memory + PAGE));
		say_protection("pages", memory, 5);
		if (i == 2)
			say_result("and data", do_mprotect(memory + PAGE, 2 * PAGE, RW));
		/* Through the middle of the code, then below it. */
		must(sbrk(-2 * (intptr_t)PAGE) != (void *)-1, "sbrk down");
		say_protection("after the first step down", memory, 5);
		must(sbrk(-2 * (intptr_t)PAGE) != (void *)-1, "sbrk down");
		say_protection("after the second", memory, 5);
	}
}

/* A brk in the middle of a page. */
static void odd_brk(void)
{
	unsigned char *memory = sbrk_pages(2), *end;
	int i;

	end = sbrk(123);
	must(end == memory + 2 * PAGE, "sbrk");
	code_write(end, 5);
	say_result("last page", do_mprotect(end, PAGE, RWX));
	say("%d", code_run(end));
	say_result("all three", do_mprotect(memory, 3 * PAGE, RWX));
	for (i = 0; i < 4; i++) {
		must(sbrk(1500) != (void *)-1, "sbrk");
		say_protection("pages", memory, 5);
	}
	say("%d", code_run(end));
	end = sbrk(0);
	memset(end - 1000, 1, 1000);
	must(sbrk(-6000) != (void *)-1, "sbrk down");
	say_protection("pages", memory, 5);
	say("%d", code_run(memory + 2 * PAGE));
	must(sbrk(memory - (unsigned char *)sbrk(0)) != (void *)-1, "sbrk down");
}

/* malloc, free and realloc at random, while random pages of the heap, with
 * malloc's own notes between them, are turned to and fro. */
static void storm(void)
{
	static struct slot slots[SLOTS];
	uint32_t state = 42;
	struct mallinfo2 info;
	bool kept = true;
	size_t old;
	int i;

	for (i = 0; i < 20000; i++) {
		struct slot *slot = &slots[random_number(&state) % SLOTS];
		uint32_t what = random_number(&state) % 8;

		if (!slot->at) {
			slot->size = 1 + random_number(&state) % (what ? 600 : 20000);
			slot->byte = (int)(random_number(&state) & 0xff);
			slot->at = what < 6 ? malloc(slot->size) :
				memalign(what == 6 ? PAGE : 256, slot->size);
			must(slot->at, "malloc");
			memset(slot->at, slot->byte, slot->size);
			continue;
		}
		kept = kept && all_bytes(slot->at, slot->size, slot->byte);
		if (what < 3) {
			free(slot->at);
			slot->at = NULL;
		} else if (what < 5) {
			old = slot->size;
			slot->size = 1 + random_number(&state) % 9000;
			slot->at = realloc(slot->at, slot->size);
			must(slot->at, "realloc");
			kept = kept && all_bytes(slot->at, old < slot->size ? old : slot->size,
						 slot->byte);
			memset(slot->at, slot->byte, slot->size);
		} else {
			must(protect_around(slot->at, slot->size,
					    random_number(&state) % 3 ? RWX : RW) == 0, "mprotect");
		}
	}
	info = mallinfo2();
	say("kept %d, sane %d", kept, info.arena == info.uordblks + info.fordblks);
	for (i = 0; i < SLOTS; i++) {
		if (slots[i].at && !all_bytes(slots[i].at, slots[i].size, slots[i].byte))
			say("slot %d is damaged", i);
		free(slots[i].at);
		slots[i].at = NULL;
	}
}

/* 64 MiB at once, nearly all of it never touched, must stay so. */
static void vast(void)
{
	enum { VAST = 16384 };
	unsigned char *memory = sbrk_pages(VAST);
	static unsigned char resident[VAST];
	int i, count = 0;

	/* Huge pages would touch it all. */
	madvise(memory, VAST * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < VAST; i += 1024)
		code_write(memory + (size_t)i * PAGE, i);
	say_result("to code", do_mprotect(memory, VAST * PAGE, RWX));
	must(mincore(memory, VAST * PAGE, resident) == 0, "mincore");
	for (i = 0; i < VAST; i++)
		count += resident[i] & 1;
	say("sparse %d", count < VAST / 4);
	for (i = 0; i < VAST; i += 1024)
		must(code_run(memory + (size_t)i * PAGE) == i, "code");
	say("untouched pages are zero %d", all_bytes(memory + 5 * PAGE, PAGE, 0));
	must(sbrk(-(intptr_t)(VAST * PAGE)) != (void *)-1, "sbrk down");
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "cycle", cycle },
		{ "reuse", reuse },
		{ "grow", grow },
		{ "trim", trim },
		{ "brk", moving_brk },
		{ "odd-brk", odd_brk },
		{ "storm", storm },
		{ "vast", vast },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
