/* journal-stacks.c: asks for executable memory at the end of known chains of
 * calls: plain ones, through a signal handler, through generated code, from a
 * library that is closed then. Its functions are found by name in its debug
 * information; where code is generated is said in a line on standard error. */
#include "host.h"

#include <dlfcn.h>
#include <signal.h>
#include <ucontext.h>

#define NOINLINE __attribute__((noinline))
#define NOT_A_JUMP() __asm__ volatile("" : : : "memory")

static unsigned char *page;

static NOINLINE void prepare(void)
{
	if (!page)
		page = heap_pages(1);
	must(mprotect(page, PAGE, RW) == 0, "data");
}

static NOINLINE void inner(void)
{
	must(mprotect(page, PAGE, RWX) == 0, "code");
	NOT_A_JUMP();
}

static NOINLINE void middle(void)
{
	inner();
	NOT_A_JUMP();
}

static NOINLINE void outer(void)
{
	middle();
	NOT_A_JUMP();
}

static void plain(void)
{
	prepare();
	outer();
	say("plain");
}

/* A frame whose description says of register 3 that it is where an operation tells that
 * there is none of, 0xe1; at this libgcc's unwinder calls abort(). */
static NOINLINE void odd(void)
{
	__asm__ volatile(".cfi_escape 0x10, 3, 1, 0xe1");
	middle();
	NOT_A_JUMP();
}

static void odd_frame(void)
{
	prepare();
	odd();
	say("through an odd frame");
}

/* A frame whose description says that it was called from where nothing is: 0x12bc. An
 * unwinder that looks at the instruction there meets a fault. */
#if defined(__x86_64__)
#define RETURN_ADDRESS "16"
#elif defined(__i386__)
#define RETURN_ADDRESS "8"
#else
#define RETURN_ADDRESS "30"
#endif

static NOINLINE void lost(void)
{
	__asm__ volatile(".cfi_escape 0x16, " RETURN_ADDRESS ", 3, 0x0a, 0xbc, 0x12");
	middle();
	NOT_A_JUMP();
}

static void lost_frame(void)
{
	prepare();
	lost();
	say("through a frame that leads nowhere");
}

static NOINLINE void dive(int depth)
{
	if (depth)
		dive(depth - 1);
	else
		inner();
	NOT_A_JUMP();
}

static NOINLINE void allocate_deep(int depth)
{
	if (depth)
		allocate_deep(depth - 1);
	else
		prepare();
	NOT_A_JUMP();
}

static void deep(void)
{
	allocate_deep(80);
	dive(80);
	say("deep");
}

static void on_trap(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	inner();
#ifdef __aarch64__
	/* Its breakpoint is what is gone on with, not what is behind it. */
	((ucontext_t *)context)->uc_mcontext.pc += 4;
#endif
	NOT_A_JUMP();
}

static NOINLINE void interrupted(void)
{
#ifdef __aarch64__
	/* Where it was is told by the byte before it. */
	__asm__ volatile("nop\n\tbrk #0" : : : "memory");
#else
	__asm__ volatile("int3" : : : "memory");
#endif
}

static void handler(void)
{
	struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

	prepare();
	sigaction(SIGTRAP, &action, NULL);
	interrupted();
	say("handler");
}

static void handler_on_other_stack(void)
{
	size_t size = 65536;
	stack_t stack = { .ss_sp = malloc(size), .ss_size = size };
	struct sigaction action = {
		.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK,
	};

	prepare();
	must(stack.ss_sp && sigaltstack(&stack, NULL) == 0, "sigaltstack");
	sigaction(SIGTRAP, &action, NULL);
	interrupted();
	say("handler on a stack of its own");
}

/* What generated code does before it calls, and what takes that back. */
struct frame {
	size_t length;
	const void *code;
	size_t end_length;
	const void *end;
};

#define CODE(...) sizeof((instruction[]){ __VA_ARGS__ }), (instruction[]){ __VA_ARGS__ }

#ifdef __aarch64__
typedef const uint32_t instruction;

/* stp x29, x30, [sp, #-16]!; mov x29, sp */
static const struct frame plain_frame = {
	CODE(0xa9bf7bfd, 0x910003fd),
	CODE(0xa8c17bfd), /* ldp x29, x30, [sp], #16 */
};
/* sub sp, sp, #32; str x30, [sp, #8] */
static const struct frame no_frame = {
	CODE(0xd10083ff, 0xf90007fe),
	CODE(0xf94007fe, 0x910083ff), /* ldr x30, [sp, #8]; add sp, sp, #32 */
};
/* stp, as above; mov x29, #0x123456789abcdef0, in four */
static const struct frame other_frame = {
	CODE(0xa9bf7bfd, 0xd29bde1d, 0xf2b3579d, 0xf2cacf1d, 0xf2e2469d),
	CODE(0xa8c17bfd),
};
/* stp, as above; sub sp, sp, #32; mov x16, #0x1234; str x16, [sp, #8]; mov x16, sp;
 * str x16, [sp]; mov x29, sp */
static const struct frame false_frame = {
	CODE(0xa9bf7bfd, 0xd10083ff, 0xd2824690, 0xf90007f0, 0x910003f0, 0xf90003f0, 0x910003fd),
	CODE(0x910083ff, 0xa8c17bfd), /* add sp, sp, #32; ldp */
};
#else
typedef const unsigned char instruction;

/* push %rbp; mov %rsp, %rbp */
static const struct frame plain_frame = {
	CODE(0x55, 0x48, 0x89, 0xe5),
	CODE(0x5d), /* pop %rbp */
};
/* sub $24, %rsp */
static const struct frame no_frame = {
	CODE(0x48, 0x83, 0xec, 0x18),
	CODE(0x48, 0x83, 0xc4, 0x18), /* add $24, %rsp */
};
/* push %rbp; mov $0x123456789abcdef0, %rbp. On i386 its last four bytes would be a jump,
 * if %eax was negative; the prefix 0x48 of the others is dec %eax there, and harmless. */
static const struct frame other_frame = {
#ifdef __x86_64__
	CODE(0x55, 0x48, 0xbd, 0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12),
#else
	CODE(0x55, 0xbd, 0xf0, 0xde, 0xbc, 0x9a),
#endif
	CODE(0x5d),
};
/* push %rbp; sub $32, %rsp; movq $0x1234, 8(%rsp); mov %rsp, (%rsp); mov %rsp, %rbp */
static const struct frame false_frame = {
	CODE(0x55, 0x48, 0x83, 0xec, 0x20, 0x48, 0xc7, 0x44, 0x24, 0x08, 0x34, 0x12, 0x00, 0x00,
	     0x48, 0x89, 0x24, 0x24, 0x48, 0x89, 0xe5),
	CODE(0x48, 0x83, 0xc4, 0x20, 0x5d), /* add $32, %rsp; pop %rbp */
};
#endif

/* A call of middle, and its return, in a page of its own. Nothing tells an unwinder how
 * to get through. */
static void through(const struct frame *frame)
{
	unsigned char *at = mmap(NULL, PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*function)(void) = middle;
	unsigned char *to = at;

	must(at != MAP_FAILED, "code");
	fprintf(stderr, "code at %p\n", (void *)at);
	to = mempcpy(to, frame->code, frame->length);
#ifdef __aarch64__
	/* ldr x16, . + 8; b . + 12, over what is loaded */
	to = mempcpy(to, (instruction[]){ 0x58000050, 0x14000003 }, 8);
	to = mempcpy(to, &function, sizeof(function));
	to = mempcpy(to, (instruction[]){ 0xd63f0200 }, 4); /* blr x16 */
	to = mempcpy(to, frame->end, frame->end_length);
	to = mempcpy(to, (instruction[]){ 0xd65f03c0 }, 4); /* ret */
	__builtin___clear_cache((char *)at, (char *)to);
#else
#ifdef __x86_64__
	to = mempcpy(to, "\x48", 1);
#endif
	to = mempcpy(to, "\xb8", 1); /* mov $middle, %rax, or %eax */
	to = mempcpy(to, &function, sizeof(function));
	to = mempcpy(to, "\xff\xd0", 2); /* call *%rax */
	to = mempcpy(to, frame->end, frame->end_length);
	*to = 0xc3;
#endif
	code_run(at);
}

static void generated(void)
{
	prepare();
	through(&plain_frame);
	say("through code with a frame pointer");
}

static void generated_without_frame(void)
{
	prepare();
	through(&no_frame);
	say("through code without one");
}

static void generated_with_other_frame(void)
{
	prepare();
	through(&other_frame);
	say("through code that keeps a number there");
}

/* What looks like a frame. */
static void generated_with_false_frame(void)
{
	prepare();
	through(&false_frame);
	say("through code that makes a false frame");
}

/* Opens each library of HOST_PLUGINS in turn, most likely at one address. */
static void closed(void)
{
	char *list = getenv("HOST_PLUGINS"), *name;
	void *(*memory)(void);
	int (*ask)(void *);
	void *library;

	must(list, "HOST_PLUGINS");
	for (name = strtok(list, ":"); name; name = strtok(NULL, ":")) {
		library = dlopen(name, RTLD_NOW);
		must(library, name);
		*(void **)&memory = dlsym(library, "plugin_memory");
		*(void **)&ask = dlsym(library, "plugin_ask");
		page = memory();
		must(ask(memory()) == 0, "code");
		dlclose(library);
		must(dlopen(name, RTLD_NOW | RTLD_NOLOAD) == NULL, "closed");
		/* Each time from another place. */
		prepare();
		(strstr(name, "first") ? inner : middle)();
	}
	say("closed");
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "plain", plain },
		{ "deep", deep },
		{ "handler", handler },
		{ "handler-on-other-stack", handler_on_other_stack },
		{ "generated", generated },
		{ "generated-without-frame", generated_without_frame },
		{ "generated-with-other-frame", generated_with_other_frame },
		{ "generated-with-false-frame", generated_with_false_frame },
		{ "odd-frame", odd_frame },
		{ "lost-frame", lost_frame },
		{ "closed", closed },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
