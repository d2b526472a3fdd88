/* debugged.c: a program to debug and to profile: it makes code, changes and runs it,
 * and has a function and a variable to stop at. What a debugger shows of it must not
 * depend on jitmend. Built with -g. */
#include "host.h"

#include <fcntl.h>

#define ROUNDS 3

/* For the debugger. */
unsigned char *code;
volatile int watched, go_on;
void ordinary(int value);
void written(void);

__attribute__((noinline)) void ordinary(int value)
{
	watched = value;
}

/* The code of this round is there, and has not run yet. */
__attribute__((noinline)) void written(void)
{
	__asm__ volatile("");
}

static void make_code(void)
{
	code = do_mmap(NULL, PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(code != MAP_FAILED, "mmap");
}

static void work(void)
{
	make_code();
	for (int i = 1; i <= ROUNDS; i++) {
		code_write(code, i);
		written();
		ordinary(10 * code_run(code));
	}
	say("watched: %d", watched);
}

/* The host's own faults: in its text, and in its code. */
static void crash(void)
{
	volatile int *volatile nowhere = NULL;

	work();
	*nowhere = 1;
}

static void crash_in_code(void)
{
	/* The store is to no address whatever the caller had in the register. */
	static const unsigned char store[] = {
		0x31, 0xc0, /* xor %eax, %eax */
		0x00, 0x00, /* add %al, (%eax) */
	};

	work();
	memcpy(code + PAGE - sizeof(store), store, sizeof(store));
	code_run(code + PAGE - sizeof(store));
}

/* Until a debugger comes and says so. */
static void wait_for_debugger(void)
{
	work();
	say("waiting");
	for (int i = 0; i < 3000 && !go_on; i++) {
		code_write(code, i);
		ordinary(code_run(code));
		usleep(100000);
	}
	say("%s", go_on ? "on" : "nobody came");
}

/* Code with a name that perf can learn from the usual file. It loops by itself: a clock
 * that interrupts a virtual machine seldom finds it in a function of two instructions. */
static void hot(void)
{
	static const unsigned char loop[] = {
		0xb9, 0x00, 0x00, 0x00, 0x40, /* mov $1 << 30, %ecx */
		0xff, 0xc9,                   /* 1: dec %ecx */
		0x75, 0xfc,                   /* jnz 1b */
		0xc3,                         /* ret */
	};
	char line[80], path[64];
	int fd;

	make_code();
	memcpy(code, loop, sizeof loop);
	snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)getpid());
	snprintf(line, sizeof line, "%lx %zx jitted_by_debugged\n", (unsigned long)code,
		sizeof loop);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	must(fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line), "the map for perf");
	close(fd);
	say("%s", path);
	code_run(code);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "work", work },
		{ "crash", crash },
		{ "crash-in-code", crash_in_code },
		{ "wait", wait_for_debugger },
		{ "hot", hot },
		{ 0 },
	};

	return host_main(parts, argc, argv);
}
