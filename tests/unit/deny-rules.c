/* deny-rules.c: the rules of `jitmend deny', held against made-up processes. */
#include "deny-rules.h"

#include <errno.h>
#include <sys/mman.h>

#include "request.h"
#include "tap.h"

enum { R = PROT_READ, W = PROT_WRITE, X = PROT_EXEC, PAGE = 0x1000 };
enum {
	HEAP = POLICY_EXECHEAP,
	MOD = POLICY_EXECMOD,
	MEM = POLICY_EXECMEM,
	STACK = POLICY_EXECSTACK,
	ALL = HEAP | MOD | MEM | STACK,
};

#define FILE_AREA .backing = BACKING_FILE, .may_exec = true
#define ANONYMOUS_AREA .backing = BACKING_ANONYMOUS, .may_exec = true

/* The places that the tests speak of. */
static struct area areas[] = {
	{ .start = 0x10000, .end = 0x12000, .protection = R | X, FILE_AREA, .name = "text" },
	{ .start = 0x12000, .end = 0x13000, .protection = R | W, .written = true, FILE_AREA },
	{ .start = 0x13000, .end = 0x14000, .protection = R | W, ANONYMOUS_AREA },
	{ .start = 0x20000, .end = 0x23000, .protection = R | W, ANONYMOUS_AREA, .heap = true },
	{ .start = 0x23000, .end = 0x24000, .protection = R | W, FILE_AREA, .shared = true },
	{ .start = 0x25000, .end = 0x26000, .protection = R | W, ANONYMOUS_AREA },
	{ .start = 0x30000, .end = 0x31000, .protection = R | W, FILE_AREA },
	{ .start = 0x31000, .end = 0x32000, .protection = R | W, .shared = true,
	  .backing = BACKING_INTERNAL, .may_exec = true },
	{ .start = 0x32000, .end = 0x33000, .protection = R | W, .backing = BACKING_FILE,
	  .may_exec = false, .name = "/dev/zero" },
	{ .start = 0x34000, .end = 0x35000, .protection = R | X, ANONYMOUS_AREA },
	{ .start = 0x40000, .end = 0x44000, .protection = R | W, ANONYMOUS_AREA },
	{ .start = 0x50000, .end = 0x54000, .protection = R | W, ANONYMOUS_AREA },
};

static struct view process(void)
{
	struct view view = {
		.areas = areas, .count = sizeof areas / sizeof *areas,
		.start_brk = 0x20000, .start_stack = 0x53000, .stack_pointer = 0x42000,
	};

	view.brk = rules_guess_brk(&view);
	return view;
}

static const struct {
	const char *what;
	unsigned policies;
	uint64_t address, pages;
	unsigned protection;
	const char *permission; /* NULL: allowed */
} turns[] = {
	{ "the heap asks execheap", ALL, 0x21000, 1, R | X, "execheap" },
	{ "the heap asks execmem when execheap is granted", MEM, 0x21000, 1, R | X, "execmem" },
	{ "the heap asks neither execmod nor execstack", MOD | STACK, 0x21000, 1, R | X, NULL },
	{ "a file over the heap's end asks execheap", HEAP, 0x23000, 1, R | X, "execheap" },
	{ "memory behind the heap asks execmem", ALL, 0x25000, 1, R | X, "execmem" },
	{ "memory behind the heap asks no execheap", HEAP, 0x25000, 1, R | X, NULL },
	{ "the stack asks execstack", ALL, 0x51000, 1, R | W | X, "execstack" },
	{ "the thread's stack asks execstack", ALL, 0x41000, 1, R | W | X, "execstack" },
	{ "a written private file asks execmod", ALL, 0x12000, 1, R | X, "execmod" },
	{ "a written private file, turned RX, asks no execmem", MEM, 0x12000, 1, R | X, NULL },
	{ "a written private file, turned RWX, does", MEM, 0x12000, 1, R | W | X, "execmem" },
	{ "an unwritten private file asks nothing", ALL, 0x30000, 1, R | X, NULL },
	{ "shared anonymous memory asks execmem", ALL, 0x31000, 1, R | X, "execmem" },
	{ "what is executable asks nothing but execmem", HEAP | MOD | STACK, 0x34000, 1, R | X,
	  NULL },
	{ "executable anonymous memory asks execmem again", MEM, 0x34000, 1, R | X, "execmem" },
	{ "executable text asks nothing", ALL, 0x10000, 2, R | X, NULL },
	{ "text turned RWX asks execmem", ALL, 0x10000, 2, R | W | X, "execmem" },
	{ "the first refusal in a range counts", ALL, 0x12000, 2, R | X, "execmod" },
	{ "what is granted is passed over", MEM, 0x12000, 2, R | X, "execmem" },
	{ "nothing is asked behind a hole", STACK, 0x34000, 16, R | X, NULL },
	{ "nothing is asked of a hole", ALL, 0x14000, 16, R | X, NULL },
	{ "an odd address is the kernel's to refuse", ALL, 0x21001, 1, R | X, NULL },
	{ "no length asks nothing", ALL, 0x21000, 0, R | X, NULL },
	{ "no EXEC asks nothing", ALL, 0x21000, 1, R | W, NULL },
	{ "MDWE: W and X", POLICY_MDWE, 0x10000, 1, R | W | X, "write-exec" },
	{ "MDWE: X gained", POLICY_MDWE, 0x12000, 1, R | X, "gain-exec" },
	{ "MDWE: X kept", POLICY_MDWE, 0x10000, 1, R | X, NULL },
	{ "a noexec mount", POLICY_NOEXEC_DEV, 0x32000, 1, R | X, "execute" },
	{ "another mount", POLICY_NOEXEC_DEV, 0x30000, 1, R | X, NULL },
};

static void test_turns(void)
{
	struct view view = process();

	for (size_t i = 0; i < sizeof turns / sizeof *turns; i++) {
		struct asked asked = {
			.call = ASKED_MPROTECT, .address = turns[i].address,
			.length = turns[i].pages * PAGE, .protection = turns[i].protection,
		};
		struct refusal refusal = { .permission = "nothing" };
		bool refused = rules_refuse(turns[i].policies, &asked, &view, &refusal);

		SAME_TEXT(refused ? refusal.permission : "nothing",
			  turns[i].permission ? turns[i].permission : "nothing", turns[i].what);
	}
}

static const struct {
	const char *what;
	unsigned policies;
	unsigned protection;
	bool shared;
	enum backing backing;
	bool noexec;
	int error; /* 0: allowed */
} maps[] = {
	{ "anonymous RWX", MEM, R | W | X, false, BACKING_ANONYMOUS, false, EACCES },
	{ "anonymous RX", MEM, R | X, false, BACKING_ANONYMOUS, false, EACCES },
	{ "anonymous RW", MEM, R | W, false, BACKING_ANONYMOUS, false, 0 },
	{ "anonymous RWX without execmem", ALL & ~MEM, R | W | X, false, BACKING_ANONYMOUS,
	  false, 0 },
	{ "shared anonymous RX", MEM, R | X, true, BACKING_ANONYMOUS, false, EACCES },
	{ "private file RX", MEM, R | X, false, BACKING_FILE, false, 0 },
	{ "private file RWX", MEM, R | W | X, false, BACKING_FILE, false, EACCES },
	{ "shared file RWX", MEM, R | W | X, true, BACKING_FILE, false, 0 },
	{ "noexec file RX", POLICY_NOEXEC_DEV, R | X, false, BACKING_FILE, true, EPERM },
	{ "MDWE, RX", POLICY_MDWE, R | X, false, BACKING_ANONYMOUS, false, 0 },
	{ "MDWE, RWX", POLICY_MDWE, R | W | X, true, BACKING_FILE, false, EACCES },
	{ "execmem comes before a noexec mount", MEM | POLICY_NOEXEC_DEV, R | W | X, false,
	  BACKING_FILE, true, EACCES },
};

static void test_maps(void)
{
	struct view view = process();

	for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
		struct asked asked = {
			.call = ASKED_MMAP, .length = PAGE, .protection = maps[i].protection,
			.shared = maps[i].shared, .backing = maps[i].backing,
			.on_noexec_mount = maps[i].noexec,
		};
		struct refusal refusal = { .error = 0 };

		rules_refuse(maps[i].policies, &asked, &view, &refusal);
		SAME(refusal.error, maps[i].error, maps[i].what);
	}
}

static void test_filter(void)
{
	struct asked asked = { .call = ASKED_MMAP, .protection = R | W | X };
	struct refusal refusal;

	CHECK(rules_filter_refuses(POLICY_SECCOMP, &asked, &refusal) && refusal.error == EPERM,
	      "the filter refuses an mmap with W and X");
	CHECK(!rules_filter_refuses(ALL, &asked, &refusal), "and nothing where it is not in force");
	asked.protection = R | X;
	CHECK(!rules_filter_refuses(POLICY_SECCOMP, &asked, &refusal), "not one with X alone");
	asked.call = ASKED_MPROTECT;
	CHECK(rules_filter_refuses(POLICY_SECCOMP, &asked, &refusal),
	      "but every mprotect with X");
	asked.call = ASKED_SHMAT;
	CHECK(rules_filter_refuses(POLICY_SECCOMP, &asked, &refusal), "and every shmat");
	asked.by_ipc = true;
	CHECK(!rules_filter_refuses(POLICY_SECCOMP, &asked, &refusal), "not one by ipc(2)");
}

static void test_read_implies_exec(void)
{
	struct view view = process();
	struct asked asked = {
		.call = ASKED_MPROTECT, .address = 0x21000, .length = PAGE, .protection = R,
	};
	struct refusal refusal;

	view.read_implies_exec = true;
	CHECK(rules_refuse(ALL, &asked, &view, &refusal), "READ_IMPLIES_EXEC: R is RX");
	asked.protection = W;
	CHECK(!rules_refuse(ALL, &asked, &view, &refusal), "W alone is not");
	asked.protection = R;
	asked.address = 0x32000;
	CHECK(!rules_refuse(ALL, &asked, &view, &refusal), "nor is R on a noexec mount");
	asked = (struct asked){ .call = ASKED_MMAP, .protection = R | W };
	CHECK(rules_refuse(ALL, &asked, &view, &refusal), "an mmap with R is refused as well");
}

static void test_grows_down(void)
{
	struct view view = process();
	struct asked asked = {
		.call = ASKED_MPROTECT, .address = 0x4f000, .length = 2 * PAGE,
		.protection = R | X, .grows_down = true,
	};
	struct refusal refusal;

	CHECK(rules_refuse(STACK, &asked, &view, &refusal),
	      "PROT_GROWSDOWN: a hole before the stack is none");
	asked.grows_down = false;
	CHECK(!rules_refuse(STACK, &asked, &view, &refusal), "without it, it is");
}

static void test_brk(void)
{
	struct view view = process();
	struct area past[] = {
		{ .start = 0x20000, .end = 0x28000, .protection = R | W, ANONYMOUS_AREA },
	};
	struct asked asked = {
		.call = ASKED_MPROTECT, .address = 0x20000, .length = PAGE, .protection = R | X,
	};
	struct refusal refusal;

	SAME((long long)view.brk, 0x24000, "the brk is guessed behind a file over the heap");
	view.areas = past;
	view.count = 1;
	view.brk = 0x24000;
	CHECK(!rules_refuse(HEAP, &asked, &view, &refusal),
	      "a mapping that reaches past the brk escapes execheap");
	view.brk = rules_guess_brk(&view);
	SAME((long long)view.brk, 0x20000, "no label, no heap");
}

static void test_details(void)
{
	struct view view = process();
	struct asked asked = {
		.call = ASKED_MPROTECT, .address = 0x12000, .length = PAGE, .protection = R | X,
	};

	CHECK(rules_need_details(MOD, &asked, &view), "execmod needs to know what was written");
	CHECK(!rules_need_details(MEM, &asked, &view), "execmem does not");
	asked.address = 0x21000;
	CHECK(!rules_need_details(MOD, &asked, &view), "nor does execmod of anonymous memory");
	asked.address = 0x10000;
	CHECK(!rules_need_details(MOD, &asked, &view), "nor of what is executable");
}

int main(void)
{
	test_turns();
	test_maps();
	test_filter();
	test_read_implies_exec();
	test_grows_down();
	test_brk();
	test_details();
	return tap_done();
}
