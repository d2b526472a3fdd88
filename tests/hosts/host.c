/* host.c: what the test hosts share; see host.h. */
#include "host.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static bool through_syscall;

int host_main(const struct part *parts, int argc, char **argv)
{
	const struct part *part;
	int i = 1;

	/* Whatever size: the brk heap is where the tests want it. */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	if (argc > 1 && !strcmp(argv[1], "--syscall")) {
		through_syscall = true;
		i++;
	}
	must(i < argc, "no part named");
	for (; i < argc; i++) {
		for (part = parts; part->name && strcmp(part->name, argv[i]); part++)
			;
		must(part->name, argv[i]);
		say("-- %s", part->name);
		part->run();
		fflush(stdout);
	}
	return 0;
}

int do_mprotect(void *at, size_t length, int protection)
{
	if (through_syscall)
		return (int)syscall(SYS_mprotect, at, length, protection);
	return mprotect(at, length, protection);
}

void *do_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
#ifdef SYS_mmap2
	if (through_syscall && offset % (off_t)PAGE == 0)
		return (void *)syscall(SYS_mmap2, at, length, protection, flags, fd,
				       offset / (off_t)PAGE);
#else
	if (through_syscall)
		return (void *)syscall(SYS_mmap, at, length, protection, flags, fd, offset);
#endif
	return mmap(at, length, protection, flags, fd, offset);
}

int do_munmap(void *at, size_t length)
{
	if (through_syscall)
		return (int)syscall(SYS_munmap, at, length);
	return munmap(at, length);
}

void *do_mremap(void *at, size_t length, size_t new_length, int flags, void *new_at)
{
	if (through_syscall)
		return (void *)syscall(SYS_mremap, at, length, new_length, flags, new_at);
	return mremap(at, length, new_length, flags, new_at);
}

int do_madvise(void *at, size_t length, int advice)
{
	if (through_syscall)
		return (int)syscall(SYS_madvise, at, length, advice);
	return madvise(at, length, advice);
}

void code_write(void *at, int value)
{
#ifdef __aarch64__
	uint32_t code[] = {
		0x18000040, /* ldr w0, . + 8 */
		0xd65f03c0, /* ret */
		(uint32_t)value,
	};

	memcpy(at, code, sizeof(code));
	__builtin___clear_cache(at, (char *)at + sizeof(code));
#else
	unsigned char *code = at;

	code[0] = CODE_BEGINS; /* mov $VALUE, %eax */
	memcpy(code + CODE_VALUE_AT, &value, sizeof(value));
	code[5] = 0xc3; /* ret */
#endif
}

int code_run(const void *at)
{
	int (*function)(void) = (int (*)(void))(uintptr_t)at;

	return function();
}

void must(bool holds, const char *what)
{
	if (holds)
		return;
	fflush(stdout);
	fprintf(stderr, "%s: cannot go on: %s: %s\n", program_invocation_short_name,
		what, strerror(errno));
	_exit(99);
}

void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	/* A child or a signal may end the process any time. */
	fflush(stdout);
}

void say_result(const char *what, long result)
{
	int error = errno;

	if (result == -1)
		say("%s: -1 %s", what, strerrorname_np(error));
	else
		say("%s: %ld", what, result);
}

/* The line of /proc/self/maps that AT lies in, NULL where there is none. */
static const char *maps_line(const char *maps, uintptr_t at)
{
	unsigned long start, end;

	while (sscanf(maps, "%lx-%lx", &start, &end) == 2) {
		if (at >= start && at < end)
			return maps;
		maps = strchr(maps, '\n') + 1;
	}
	return NULL;
}

void say_protection(const char *what, const void *at, size_t pages)
{
	static char maps[1 << 20];
	char text[1024];
	size_t length = 0, i;
	ssize_t got;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	must(fd >= 0, "/proc/self/maps");
	while ((got = read(fd, maps + length, sizeof(maps) - 1 - length)) > 0)
		length += (size_t)got;
	maps[length] = 0;
	close(fd);
	text[0] = 0;
	for (i = 0; i < pages && i < 64; i++) {
		const char *line = maps_line(maps, (uintptr_t)at + i * PAGE);

		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %.4s",
			 line ? strchr(line, ' ') + 1 : "hole");
	}
	say("%s:%s", what, text);
}

void say_child(const char *what, pid_t child)
{
	int status;

	must(child > 0, "child");
	must(waitpid(child, &status, 0) == child, "waitpid");
	if (WIFSIGNALED(status))
		say("%s: signal %d", what, WTERMSIG(status));
	else
		say("%s: exit %d", what, WEXITSTATUS(status));
}

unsigned char *heap_pages(size_t pages)
{
	void *memory;

	must(posix_memalign(&memory, PAGE, pages * PAGE) == 0, "posix_memalign");
	/* Unless another malloc is preloaded, which may have its memory elsewhere. */
	must(getenv("HOST_OTHER_MALLOC") ||
	     ((char *)memory + pages * PAGE <= (char *)sbrk(0) &&
	      (char *)memory + (1ul << 30) > (char *)sbrk(0)), "memory on the brk heap");
	memset(memory, 0, pages * PAGE);
	return memory;
}

unsigned char *sbrk_pages(size_t pages)
{
	uintptr_t end = (uintptr_t)sbrk(0);
	void *memory;

	/* Whole pages only: execheap is not asked for a mapping that reaches past brk. */
	if (end % PAGE)
		must(sbrk((intptr_t)(PAGE - end % PAGE)) != (void *)-1, "sbrk");
	memory = sbrk((intptr_t)(pages * PAGE));
	must(memory != (void *)-1, "sbrk");
	return memory;
}

int temporary_file(size_t length)
{
	const char *folder = getenv("TMPDIR");
	char page[PAGE], name[4096];
	size_t done, piece;
	int fd;

	snprintf(name, sizeof(name), "%s/host-XXXXXX", folder ? folder : "/tmp");
	fd = mkostemp(name, O_CLOEXEC);
	must(fd >= 0, name);
	unlink(name);
	for (done = 0; done < length; done += piece) {
		memset(page, 'a' + (int)(done / PAGE) % 26, PAGE);
		piece = length - done < PAGE ? length - done : PAGE;
		must(write(fd, page, piece) == (ssize_t)piece, name);
	}
	return fd;
}

unsigned char *file_pages(size_t pages)
{
	int fd = temporary_file(pages * PAGE);
	void *memory = do_mmap(NULL, pages * PAGE, RW, MAP_PRIVATE, fd, 0);

	must(memory != MAP_FAILED, "mmap of a file");
	close(fd);
	return memory;
}

bool all_bytes(const void *at, size_t length, int byte)
{
	const unsigned char *bytes = at;

	while (length--)
		if (*bytes++ != (unsigned char)byte)
			return false;
	return true;
}

uint32_t random_number(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}
