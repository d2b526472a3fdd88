/* probe-requests.c: the requests that are tried, and what the rules of jitmend
 * deny say to each. See probe.h. */
#include "probe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { R = PROT_READ, W = PROT_WRITE, X = PROT_EXEC };

/* What programs ask for first, then what jitmend run would do instead. */
const struct probe_request probe_requests[] = {
	{ "brk-rx", "heap page, written, mprotect r-x", .danger = DANGER_EXECHEAP,
	  .memory = MEMORY_HEAP, .way = WAY_PROTECT, .protection = R | X },
	{ "brk-rwx", "heap page, written, mprotect rwx", .danger = DANGER_EXECHEAP,
	  .memory = MEMORY_HEAP, .way = WAY_PROTECT, .protection = R | W | X },
	{ "devzero-rwx", "/dev/zero private, mmap rwx", .danger = DANGER_DEVZERO,
	  .memory = MEMORY_DEVZERO, .way = WAY_MAP, .protection = R | W | X },
	{ "devzero-written-rx", "/dev/zero private, written, mprotect r-x",
	  .danger = DANGER_DEVZERO, .memory = MEMORY_DEVZERO, .way = WAY_PROTECT,
	  .protection = R | X },
	{ "file-written-rx", "file private, written, mprotect r-x (text relocations)",
	  .danger = DANGER_EXECMOD, .memory = MEMORY_FILE, .way = WAY_PROTECT,
	  .protection = R | X },
	{ "memfd-private-rw-rx", "memfd private, written, mprotect r-x",
	  .danger = DANGER_EXECMOD, .memory = MEMORY_MEMFD, .way = WAY_PROTECT,
	  .protection = R | X },
	{ "stack-rwx", "stack page, mprotect rwx", .danger = DANGER_EXECSTACK,
	  .memory = MEMORY_STACK, .way = WAY_PROTECT, .protection = R | W | X },
	{ "anon-rwx", "anonymous, mmap rwx", .danger = DANGER_EXECMEM,
	  .memory = MEMORY_ANONYMOUS, .way = WAY_MAP, .protection = R | W | X },
	{ "anon-rx", "anonymous, mmap r-x", .danger = DANGER_EXECMEM,
	  .memory = MEMORY_ANONYMOUS, .way = WAY_MAP, .protection = R | X },
	{ "anon-rw-rx", "anonymous, written, mprotect r-x", .danger = DANGER_EXECMEM,
	  .memory = MEMORY_ANONYMOUS, .way = WAY_PROTECT, .protection = R | X },
	{ "anon-rw-rwx", "anonymous, mprotect rwx", .danger = DANGER_EXECMEM,
	  .memory = MEMORY_ANONYMOUS, .way = WAY_PROTECT, .protection = R | W | X },
	{ "anon-pkey-rx", "anonymous, written, pkey_mprotect r-x", .danger = DANGER_EXECMEM,
	  .memory = MEMORY_ANONYMOUS, .way = WAY_PKEY, .protection = R | X },
	{ "shared-anon-rwx", "shared anonymous, mmap rwx", .danger = DANGER_EXECMEM,
	  .memory = MEMORY_ANONYMOUS, .way = WAY_MAP, .shared = true,
	  .protection = R | W | X },
	{ "shared-anon-rw-rx", "shared anonymous, written, mprotect r-x",
	  .danger = DANGER_EXECMEM, .memory = MEMORY_ANONYMOUS, .way = WAY_PROTECT,
	  .shared = true, .protection = R | X },
	{ "shmat-exec", "System V segment, shmat with SHM_EXEC", .danger = DANGER_EXECMEM,
	  .memory = MEMORY_SEGMENT, .way = WAY_ATTACH, .shared = true,
	  .protection = R | W | X },
	{ "memfd-private-rwx", "memfd private, mmap rwx", .danger = DANGER_EXECMEM,
	  .memory = MEMORY_MEMFD, .way = WAY_MAP, .protection = R | W | X },
	{ "memfd-private-rx", "memfd private, filled by write, mmap r-x",
	  .memory = MEMORY_MEMFD, .way = WAY_MAP, .protection = R | X },
	{ "memfd-shared-rw-rx", "memfd shared, written, mprotect r-x", .danger = DANGER_EXECMEM,
	  .memory = MEMORY_MEMFD, .way = WAY_PROTECT, .shared = true, .protection = R | X },
	{ "text-rx", "a program's own code, mprotect r-x again", .memory = MEMORY_TEXT,
	  .way = WAY_PROTECT, .protection = R | X },

	{ "brk-moved-rx", "made r-x elsewhere, moved over the heap (rung 1)", .own = true,
	  .danger = DANGER_EXECMEM, .memory = MEMORY_ANONYMOUS, .way = WAY_MOVE,
	  .place = OVER_HEAP, .protection = R | X },
	{ "memfd-shared-rwx", "one memfd mapping, rwx (rung 2)", .own = true,
	  .danger = DANGER_EXECMEM, .memory = MEMORY_MEMFD, .way = WAY_MAP, .shared = true,
	  .protection = R | W | X },
	{ "memfd-flip", "memfd, mmap r-x in the place of rw- (rung 3)", .own = true,
	  .memory = MEMORY_MEMFD, .way = WAY_FLIP, .shared = true, .protection = R | X },
	{ "memfd-dual", "memfd, a second mapping r-x beside rw-", .own = true,
	  .memory = MEMORY_MEMFD, .way = WAY_DUAL, .shared = true, .protection = R | X },
	{ "brk-memfd-rx", "memfd, mmap r-x over the heap (rung 3)", .own = true,
	  .memory = MEMORY_MEMFD, .way = WAY_MAP, .place = OVER_HEAP, .shared = true,
	  .protection = R | X },
	{ "brk-memfd-rw-rx", "memfd over the heap, mprotect r-x: execheap alone",
	  .own = true, .danger = DANGER_EXECHEAP, .memory = MEMORY_MEMFD, .way = WAY_PROTECT,
	  .place = OVER_HEAP, .shared = true, .protection = R | X },
	{ "brk-beyond-rx", "memfd that reaches beyond the heap, mprotect r-x", .own = true,
	  .memory = MEMORY_MEMFD, .way = WAY_PROTECT, .place = BEYOND_HEAP, .shared = true,
	  .protection = R | X },
};

const unsigned probe_request_count = sizeof probe_requests / sizeof *probe_requests;
_Static_assert(sizeof probe_requests / sizeof *probe_requests <= PROBE_MOST_REQUESTS,
	       "PROBE_MOST_REQUESTS is too small");

unsigned probe_index(const char *name)
{
	for (unsigned i = 0; i < probe_request_count; i++)
		if (strcmp(probe_requests[i].name, name) == 0)
			return i;
	abort();
}

const char *probe_call(const struct probe_request *request)
{
	switch (request->way) {
	case WAY_PROTECT:
	case WAY_MOVE:
		return "mprotect";
	case WAY_PKEY:
		return "pkey_mprotect";
	case WAY_ATTACH:
		return "shmat";
	default:
		return "mmap";
	}
}

/* ------------------------------------------------------------- what to expect */

/* A made-up process: the heap, and places that are none. */
enum { PAGE = 4096, START_BRK = 0x10000, BRK = 0x14000, STACK = 0x50000, ELSEWHERE = 0x30000 };

static enum backing backing_of(const struct probe_request *request)
{
	switch (request->memory) {
	case MEMORY_ANONYMOUS:
		return request->shared ? BACKING_INTERNAL : BACKING_ANONYMOUS;
	case MEMORY_SEGMENT:
		return BACKING_INTERNAL;
	case MEMORY_HEAP:
	case MEMORY_STACK:
		return BACKING_ANONYMOUS;
	default:
		return BACKING_FILE;
	}
}

static struct area area_of(const struct probe_request *request, bool noexec)
{
	struct area area = {
		.start = ELSEWHERE, .end = ELSEWHERE + PAGE, .protection = R | W,
		.shared = request->shared, .backing = backing_of(request), .may_exec = !noexec,
	};

	if (request->memory == MEMORY_TEXT) {
		area.protection = R | X;
		return area;
	}
	if (request->memory == MEMORY_STACK) {
		area.start = STACK;
		area.end = STACK + PAGE;
	} else if (request->place == BEYOND_HEAP) {
		area.start = BRK - PAGE;
		area.end = BRK + PAGE;
	} else if (request->memory == MEMORY_HEAP || (request->place == OVER_HEAP &&
						      request->way == WAY_PROTECT)) {
		area.start = START_BRK + PAGE;
		area.end = START_BRK + 2 * PAGE;
	}
	area.written = area.backing == BACKING_FILE && !area.shared;
	return area;
}

static enum asked_call asked_call(enum way way)
{
	if (way == WAY_PROTECT || way == WAY_PKEY || way == WAY_MOVE)
		return ASKED_MPROTECT;
	return way == WAY_ATTACH ? ASKED_SHMAT : ASKED_MMAP;
}

bool probe_foresee(const struct probe_request *request, unsigned policies, bool file_noexec,
		   struct refusal *refusal)
{
	bool noexec = request->memory == MEMORY_DEVZERO ? policies & POLICY_NOEXEC_DEV :
							  request->memory == MEMORY_FILE && file_noexec;
	struct area area = area_of(request, noexec);
	struct view view = {
		.areas = &area, .count = 1, .start_brk = START_BRK, .brk = BRK,
		.start_stack = STACK + PAGE / 2,
	};
	struct asked asked = {
		.call = asked_call(request->way), .address = area.start,
		.length = area.end - area.start, .protection = (unsigned)request->protection,
		.shared = request->shared, .backing = area.backing, .on_noexec_mount = noexec,
	};

	policies &= ~(unsigned)POLICY_NOEXEC_DEV;
	if (noexec)
		policies |= POLICY_NOEXEC_DEV;
	return rules_filter_refuses(policies, &asked, refusal) ||
	       rules_refuse(policies, &asked, &view, refusal);
}

const char *probe_refuser(const struct probe_request *request, const struct refusal *refusal)
{
	if (strcmp(refusal->who, "avc") == 0)
		return refusal->permission;
	if (strcmp(refusal->who, "noexec-dev") == 0 && request->memory == MEMORY_FILE)
		return "noexec";
	return refusal->who;
}
