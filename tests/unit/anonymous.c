/* anonymous.c: rung 1 where the kernel has no memory for the way back. A filter that is
 * one thread's alone stands for that; another thread is refused nothing. */
#define _GNU_SOURCE
#include "rung/anonymous.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "descriptors.h"
#include "own.h"
#include "sys.h"
#include "tap.h"

#define PAGE 4096UL
#define RW (PROT_READ | PROT_WRITE)

static struct piece piece;
static bool filtered;
static long result;

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, value)

#ifdef SYS_mmap2
#define NUMBER_OF_MMAP SYS_mmap2
#else
#define NUMBER_OF_MMAP SYS_mmap
#endif

/* mremap and, with MMAP_TOO, mmap to ADDRESS: ENOMEM. */
static bool refuse(uintptr_t address, bool mmap_too)
{
	struct sock_filter steps[] = {
		LOAD(nr),
		UNLESS(SYS_mremap, 3),
		LOAD(args[4]),
		UNLESS((uint32_t)address, 5),
		ANSWER(SECCOMP_RET_ERRNO | ENOMEM),
		UNLESS(mmap_too ? NUMBER_OF_MMAP : ~0U, 3),
		LOAD(args[0]),
		UNLESS((uint32_t)address, 1),
		ANSWER(SECCOMP_RET_ERRNO | ENOMEM),
		ANSWER(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof steps / sizeof *steps, steps };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void *move_refused(void *mmap_too)
{
	filtered = refuse(piece.start, mmap_too != NULL);
	if (filtered)
		result = rung_anonymous_move(&piece, RW | PROT_EXEC, -1);
	return NULL;
}

/* Two pages with contents, moved by a thread that has no way back. */
static unsigned char *move_pages(bool mmap_too)
{
	unsigned char *pages = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t thread;

	memset(pages, 7, 2 * PAGE);
	piece = (struct piece){
		.start = (uintptr_t)pages, .end = (uintptr_t)pages + 2 * PAGE, .protection = RW,
	};
	pthread_create(&thread, NULL, move_refused, mmap_too ? &piece : NULL);
	pthread_join(thread, NULL);
	return pages;
}

static bool is_mapped(const unsigned char *page)
{
	unsigned char there;

	return mincore((void *)page, PAGE, &there) == 0;
}

static bool is_whole(const unsigned char *pages)
{
	for (size_t i = 0; i < 2 * PAGE; i++)
		if (pages[i] != 7)
			return false;
	return true;
}

static void contents_alone(void)
{
	unsigned char *pages = move_pages(false);

	SAME(result, -EBUSY, "the way back is refused: they stay as they were");
	CHECK(is_mapped(pages) && is_whole(pages), "with their contents");
	CHECK(rung_anonymous_bring_back(), "and nothing is away");
	pages[PAGE] = 7;
}

static void nothing_at_first(void)
{
	unsigned char *pages = move_pages(true);

	SAME(result, -ENOMEM, "new pages are refused too");
	CHECK(!is_mapped(pages), "nothing is there");
	CHECK(rung_anonymous_bring_back(), "once there is memory, they come back");
	CHECK(is_mapped(pages) && is_whole(pages), "with their contents");
	pages[PAGE] = 7;
}

/* What the program has put there is its own. */
static void taken_meanwhile(void)
{
	unsigned char *pages = move_pages(true);

	SAME(result, -ENOMEM, "away again");
	mmap(pages + PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	pages[PAGE] = 9;
	CHECK(rung_anonymous_bring_back(), "no page is awaited where others are");
	CHECK(!is_mapped(pages) && pages[PAGE] == 9, "and they are left alone");
}

int main(void)
{
	own_begin(); /* what the engine makes comes to lie apart */
	descriptors_begin();
	contents_alone();
	if (!filtered) {
		printf("1..0 # SKIP no seccomp filters here\n");
		return 0;
	}
	nothing_at_first();
	taken_meanwhile();
	return tap_done();
}
