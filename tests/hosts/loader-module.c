/* loader-module.c: a shared object that asks the loader for what policies refuse. What
 * it asks for is the compiler's command line (tests/loader.bats):
 *
 *   -DTEXTREL       addresses within the text, for the loader to fill in (-z notext)
 *   -DRESOLVED      and a function that the loader chooses while it does so
 *   -DWRITABLE_CODE a segment that is writable and executable
 *   -DNESTED        a nested function's address, which gcc makes code on the stack for
 *
 * NAME is what the object goes by. */
#include <stddef.h>

#ifndef NAME
#define NAME 'm'
#endif

int module_name(void);
int module_run(int number);

#if __SIZEOF_POINTER__ == 8
#define WORD ".quad"
#else
#define WORD ".long"
#endif

int module_name(void)
{
	return NAME;
}

#ifdef TEXTREL
extern int (*const module_words[])(void);

/* Before, between and behind them there are other pages. */
__asm__(".text\n"
	".balign 4096\n"
	"	.skip 40960, 0x90\n"
	".balign 4096\n"
	".globl module_words\n"
	"module_words:\n"
	"	" WORD " module_name\n"
	"	.skip 61440\n"
	"	" WORD " module_name\n"
	"	.skip 61440\n"
	"	" WORD " module_name\n"
	".balign 4096\n");

static int name_by_text(void)
{
	size_t apart = 61440 / sizeof(void *) + 1;

	if (module_words[apart] != module_words[0] || module_words[2 * apart] != module_words[0])
		return '!';
	return module_words[0]();
}
#else
static int name_by_text(void)
{
	return module_name();
}
#endif

#ifdef RESOLVED
int module_chosen(int number);

static int twice(int number)
{
	return 2 * number;
}

/* It runs in text that is just being filled in. */
static int (*choose(void))(int)
{
	return twice;
}

int module_chosen(int number) __attribute__((ifunc("choose")));
#else
static int module_chosen(int number)
{
	return 2 * number;
}
#endif

#ifdef WRITABLE_CODE
/* Code that counts its calls in itself, and its data beside it. */
int module_count(void);

#if defined __x86_64__
__asm__(".section .both, \"awx\", @progbits\n"
	".globl module_count\n"
	".type module_count, @function\n"
	"module_count:\n"
	"	incl 1f(%rip)\n"
	"	movl 1f(%rip), %eax\n"
	"	ret\n"
	"1:	.long 0\n"
	"	.skip 8192\n"
	".size module_count, .-module_count\n"
	".previous\n");
#elif defined __i386__
__asm__(".section .both, \"awx\", @progbits\n"
	".globl module_count\n"
	".type module_count, @function\n"
	"module_count:\n"
	"	call 2f\n"
	"2:	popl %ecx\n"
	"	incl 1f-2b(%ecx)\n"
	"	movl 1f-2b(%ecx), %eax\n"
	"	ret\n"
	"1:	.long 0\n"
	"	.skip 8192\n"
	".size module_count, .-module_count\n"
	".previous\n");
#endif
#else
static int module_count(void)
{
	static int count;

	return ++count;
}
#endif

#ifdef NESTED
__attribute__((noinline)) static int call(int (*function)(int), int number)
{
	return function(number);
}

static int add_nested(int number)
{
	int sum = 1;

	int add(int other)
	{
		sum += other;
		return sum;
	}
	for (int i = 0; i < 3; i++)
		call(add, number);
	return sum;
}
#else
static int add_nested(int number)
{
	return 1 + 3 * number;
}
#endif

int module_run(int number)
{
	int first = module_count();

	return name_by_text() * 1000 + module_chosen(number) + 10 * (module_count() - first) +
	       add_nested(number);
}
