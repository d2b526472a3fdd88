/* journal-stacks.c: asks for executable memory at the end of known chains of
 * calls: plain ones, through a signal handler, through generated code, from a
 * library that is closed then. Its functions are found by name in its debug
 * information; where code is generated is said in a line on standard error. */
#include "host.h"

#include <dlfcn.h>
#include <signal.h>

#define NOINLINE __attribute__((noinline))
#define NOT_A_JUMP() __asm__ volatile("" : : : "memory")

static unsigned char *page;

static void prepare(void)
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

static void on_trap(int number)
{
	(void)number;
	inner();
	NOT_A_JUMP();
}

static NOINLINE void interrupted(void)
{
	__asm__ volatile("int3" : : : "memory");
}

static void handler(void)
{
	struct sigaction action = { .sa_handler = on_trap };

	prepare();
	sigaction(SIGTRAP, &action, NULL);
	interrupted();
	say("handler");
}

static void handler_on_other_stack(void)
{
	size_t size = 65536;
	stack_t stack = { .ss_sp = malloc(size), .ss_size = size };
	struct sigaction action = { .sa_handler = on_trap, .sa_flags = SA_ONSTACK };

	prepare();
	must(stack.ss_sp && sigaltstack(&stack, NULL) == 0, "sigaltstack");
	sigaction(SIGTRAP, &action, NULL);
	interrupted();
	say("handler on a stack of its own");
}

/* CODE, then a call of middle, in a page of its own; END takes back what CODE
 * did. Nothing tells an unwinder how to get through. */
static void through(const char *code, size_t length, const char *end, size_t end_length)
{
	unsigned char *at = mmap(NULL, PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*function)(void) = middle;
	unsigned char *to = at;

	must(at != MAP_FAILED, "code");
	fprintf(stderr, "code at %p\n", (void *)at);
	to = mempcpy(to, code, length);
#ifdef __x86_64__
	to = mempcpy(to, "\x48", 1);
#endif
	to = mempcpy(to, "\xb8", 1); /* mov $middle, %rax, or %eax */
	to = mempcpy(to, &function, sizeof(function));
	to = mempcpy(to, "\xff\xd0", 2); /* call *%rax */
	to = mempcpy(to, end, end_length);
	*to = 0xc3;
	code_run(at);
}

static void generated(void)
{
	prepare();
	/* push %rbp; mov %rsp, %rbp; pop %rbp */
	through("\x55\x48\x89\xe5", 4, "\x5d", 1);
	say("through code with a frame pointer");
}

static void generated_without_frame(void)
{
	prepare();
	/* sub $24, %rsp; add $24, %rsp */
	through("\x48\x83\xec\x18", 4, "\x48\x83\xc4\x18", 4);
	say("through code without one");
}

static void generated_with_other_frame(void)
{
	prepare();
	/* push %rbp; mov $0x123456789abcdef0, %rbp; pop %rbp: a number, no frame */
	through("\x55\x48\xbd\xf0\xde\xbc\x9a\x78\x56\x34\x12", 11, "\x5d", 1);
	say("through code that keeps a number there");
}

static void generated_with_false_frame(void)
{
	prepare();
	/* push %rbp; sub $32, %rsp; movq $0x1234, 8(%rsp); mov %rsp, (%rsp);
	 * mov %rsp, %rbp; add $32, %rsp; pop %rbp: what looks like a frame */
	through("\x55\x48\x83\xec\x20\x48\xc7\x44\x24\x08\x34\x12\x00\x00\x48\x89\x24\x24\x48\x89\xe5",
		21, "\x48\x83\xc4\x20\x5d", 5);
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
		{ "closed", closed },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
