/* code-words.c: words for what a program meets at its pages; see code.h. */
#include "code.h"

#include <setjmp.h>

static sigjmp_buf faulted;
static siginfo_t fault;

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	fault = *info;
	siglongjmp(faulted, 1);
}

const char *fault_name(const siginfo_t *info)
{
	static char text[64];
	const char *code = NULL;

	if (info->si_signo == SIGSEGV)
		code = info->si_code == SEGV_MAPERR ? "MAPERR" :
		       info->si_code == SEGV_ACCERR ? "ACCERR" :
		       info->si_code == SEGV_PKUERR ? "PKUERR" : NULL;
	else if (info->si_signo == SIGBUS)
		code = info->si_code == BUS_ADRERR ? "ADRERR" : NULL;
	if (code)
		snprintf(text, sizeof(text), "SIG%s %s", sigabbrev_np(info->si_signo), code);
	else
		snprintf(text, sizeof(text), "SIG%s code %d", sigabbrev_np(info->si_signo),
			 info->si_code);
	return text;
}

enum access { READ, WRITE, RUN };

static int make_access(enum access access, unsigned char *at, int byte)
{
	volatile unsigned char *place = at;

	if (access == RUN)
		return code_run(at);
	if (access == WRITE)
		*place = (unsigned char)byte;
	else
		byte = *place;
	return byte;
}

static void say_access(const char *what, enum access access, const void *at, int byte)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO }, segv, bus;
	volatile int result = 0;
	long distance;

	action.sa_sigaction = on_fault;
	sigemptyset(&action.sa_mask);
	sigaction(SIGSEGV, &action, &segv);
	sigaction(SIGBUS, &action, &bus);
	if (sigsetjmp(faulted, 1)) {
		distance = (long)((intptr_t)fault.si_addr - (intptr_t)at);
		if (labs(distance) < (long)PAGE)
			say("%s: %s %+ld", what, fault_name(&fault), distance);
		else
			say("%s: %s elsewhere", what, fault_name(&fault));
	} else {
		result = make_access(access, (unsigned char *)(uintptr_t)at, byte);
		say("%s: %d", what, result);
	}
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
}

void say_read(const char *what, const void *at)
{
	char text[200];

	snprintf(text, sizeof(text), "%s, read", what);
	say_access(text, READ, at, 0);
}

void say_write(const char *what, void *at, int byte)
{
	char text[200];

	snprintf(text, sizeof(text), "%s, write", what);
	say_access(text, WRITE, at, byte);
}

void say_run(const char *what, const void *at)
{
	char text[200];

	snprintf(text, sizeof(text), "%s, run", what);
	say_access(text, RUN, at, 0);
}

void say_checksum(const char *what, const void *at, size_t length)
{
	const unsigned char *bytes = at;
	uint32_t sum = 2166136261u;

	while (length--)
		sum = (sum ^ *bytes++) * 16777619u;
	say("%s: checksum %08x", what, sum);
}

void *must_map(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	void *memory = do_mmap(at, length, protection, flags, fd, offset);

	must(memory != MAP_FAILED, "mmap");
	return memory;
}

unsigned char *code_pages(size_t pages)
{
	return must_map(NULL, pages * PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

unsigned char *data_pages(size_t pages)
{
	return must_map(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

long kilobytes(const char *file, const char *field)
{
	char name[64], line[256];
	size_t length = strlen(field);
	long found = -1;
	FILE *lines;

	snprintf(name, sizeof(name), "/proc/self/%s", file);
	lines = fopen(name, "re");
	must(lines, name);
	while (fgets(line, sizeof(line), lines))
		if (!strncmp(line, field, length) && line[length] == ':')
			found = strtol(line + length + 1, NULL, 10);
	fclose(lines);
	return found;
}

static void on_alarm(int number)
{
	static const char text[] = "nobody gets on\n";

	(void)number;
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(98);
	_exit(97);
}

void give_up_after(unsigned seconds)
{
	signal(SIGALRM, on_alarm);
	alarm(seconds);
}

void say_advice(const unsigned char *at, int pages)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	unsigned long start = 0, end = 0, from = (unsigned long)at, words[2];
	char line[500];

	must(smaps != NULL, "smaps");
	while (fgets(line, sizeof(line), smaps) && start < from + (unsigned long)pages * PAGE) {
		if (sscanf(line, "%lx-%lx ", &words[0], &words[1]) == 2) {
			start = words[0];
			end = words[1];
		}
		if (strncmp(line, "VmFlags:", 8) != 0)
			continue;
		for (; start < end; start += PAGE)
			if (start >= from && start < from + (unsigned long)pages * PAGE)
				say("page %lu:%s%s%s", (start - from) / PAGE,
				    strstr(line, " lo") ? " locked" : "",
				    strstr(line, " dc") ? " not copied" : "",
				    strstr(line, " dd") ? " not dumped" : "");
	}
	fclose(smaps);
}
