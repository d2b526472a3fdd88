/* allocations.c: the allocators that hand out aligned memory answer as ever. */
#include "host.h"

#include <limits.h>
#include <malloc.h>

static void say_memory(const char *what, void *at, size_t alignment, size_t size)
{
	if (!at) {
		say_result(what, -1);
		return;
	}
	say("%s: aligned %d, usable %d", what, (uintptr_t)at % alignment == 0,
	    malloc_usable_size(at) >= size);
	memset(at, 0x5a, size);
	free(at);
}

#define OVERCOMMITTED (SIZE_MAX / 0x1000000 + 1) /* where addresses have 64 bits */

static void posix_ones(void)
{
	static const size_t alignments[] = { 0, 1, 2, 3, 4, 7, 8, 12, 16, 24, 32, 48, 100, 4096,
					     4097, 12288, 1 << 20, SIZE_MAX / 2 + 1 };
	static const size_t sizes[] = { 0, 1, 4096, 100000, OVERCOMMITTED, SIZE_MAX / 2, SIZE_MAX };
	char what[100];
	size_t a, s;

	for (a = 0; a < sizeof(alignments) / sizeof(alignments[0]); a++) {
		for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			void *at = what; /* left alone where it fails */
			int result;

			/* What is overcommitted is the kernel's affair. */
			if (sizes[s] == OVERCOMMITTED)
				continue;
			errno = ECHILD;
			result = posix_memalign(&at, alignments[a], sizes[s]);
			snprintf(what, sizeof(what), "posix_memalign %zu %zu: %s, errno %s",
				 alignments[a], sizes[s], result ? strerrorname_np(result) : "0",
				 strerrorname_np(errno));
			if (result)
				say("%s, pointer %s", what, at == what ? "untouched" : "changed");
			else
				say_memory(what, at, alignments[a], sizes[s]);
		}
	}
}

static void aligned_ones(void)
{
	static const size_t alignments[] = { 0, 1, 3, 16, 64, 4096, 5000, 1 << 16 };
	static const size_t sizes[] = { 0, 1, 64, 4096, 200000, SIZE_MAX - 5000, SIZE_MAX };
	char what[100];
	size_t a, s;

	for (a = 0; a < sizeof(alignments) / sizeof(alignments[0]); a++) {
		for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			size_t alignment = alignments[a], size = sizes[s];
			/* A bad one is rounded up, whatever that comes to. */
			size_t given = alignment & (alignment - 1) ? 1 : alignment + !alignment;
			void *at;

			snprintf(what, sizeof(what), "aligned_alloc %zu %zu", alignment, size);
			errno = 0;
			at = aligned_alloc(alignment, size);
			say_memory(what, at, given, size);
			snprintf(what, sizeof(what), "memalign %zu %zu", alignment, size);
			errno = 0;
			at = memalign(alignment, size);
			say_memory(what, at, given, size);
		}
	}
}

static void page_ones(void)
{
	static const size_t sizes[] = { 0, 1, 4096, 4097, 300000, SIZE_MAX - 5000, SIZE_MAX };
	char what[100];
	size_t s;

	for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		void *at;

		snprintf(what, sizeof(what), "valloc %zu", sizes[s]);
		errno = 0;
		at = valloc(sizes[s]);
		say_memory(what, at, PAGE, sizes[s]);
		snprintf(what, sizeof(what), "pvalloc %zu", sizes[s]);
		errno = 0;
		at = pvalloc(sizes[s]);
		say_memory(what, at, PAGE, sizes[s] ? (sizes[s] + PAGE - 1) & ~(PAGE - 1) : 0);
	}
	errno = ECHILD;
	free(valloc(100));
	say("errno left alone: %d", errno == ECHILD);
}

/* Each as a page of code, and freed as data. */
static void as_code(void)
{
	static const char *const names[] = { "posix_memalign", "aligned_alloc", "memalign",
					     "valloc", "pvalloc" };
	int i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 5; i++) {
			size_t size = round ? 70000 : PAGE;
			void *at = NULL;

			switch (i) {
			case 0: must(!posix_memalign(&at, PAGE, size), "posix_memalign"); break;
			case 1: at = aligned_alloc(PAGE, size); break;
			case 2: at = memalign(PAGE, size); break;
			case 3: at = valloc(size); break;
			case 4: at = pvalloc(size); break;
			}
			must(at, names[i]);
			code_write(at, i);
			say_result(names[i], do_mprotect(at, size, RWX));
			say("%d", code_run(at));
			if (round == 2)
				say_result("data", do_mprotect(at, size, RW));
			free(at);
		}
	}
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "posix", posix_ones },
		{ "aligned", aligned_ones },
		{ "page", page_ones },
		{ "as-code", as_code },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
