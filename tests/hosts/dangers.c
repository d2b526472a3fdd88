/* dangers.c: makes each sort of request that some policy refuses, and harmless
 * ones between them, in an order and number that depend on nothing. The part
 * "mark" makes a call that strace can see, to tell where the others begin and
 * end; the part "caught" prints the signals that have a handler. */
#include "host.h"

#include <fcntl.h>
#include <sys/shm.h>
#include <sys/syscall.h>

static void mark(void)
{
	syscall(SYS_getppid);
}

static void anonymous(void)
{
	unsigned char *at = do_mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *born;

	must(at != MAP_FAILED, "mmap");
	code_write(at, 1);
	say_result("anonymous rx", do_mprotect(at, 4 * PAGE, RX));
	say_result("anonymous rw", do_mprotect(at, 4 * PAGE, RW));
	say_result("anonymous rwx", do_mprotect(at + PAGE, 2 * PAGE, RWX));
	say_result("with a pkey", pkey_mprotect(at, PAGE, RX, -1));
	say_result("forgotten", do_madvise(at, PAGE, MADV_DONTNEED));
	say_result("hole", do_munmap(at + PAGE, PAGE));
	say_result("across the hole", do_mprotect(at, 4 * PAGE, RX));
	do_munmap(at, 4 * PAGE);
	born = do_mmap(NULL, PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say_result("born rwx", born == MAP_FAILED ? -1 : 0);
	if (born != MAP_FAILED)
		do_munmap(born, PAGE);
}

static void devzero(void)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	unsigned char *at = do_mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);

	must(at != MAP_FAILED, "/dev/zero");
	close(fd);
	code_write(at, 2);
	say_result("/dev/zero rx", do_mprotect(at, 2 * PAGE, RX));
	do_munmap(at, 2 * PAGE);
}

static void file(void)
{
	unsigned char *at = file_pages(3);

	code_write(at + PAGE, 3);
	say_result("file rx", do_mprotect(at + PAGE, PAGE, RX));
	say_result("file rwx", do_mprotect(at, 3 * PAGE, RWX));
	do_munmap(at, 3 * PAGE);
}

static void heap(void)
{
	unsigned char *at = heap_pages(3);

	code_write(at, 4);
	say_result("heap rwx", do_mprotect(at, PAGE, RWX));
	do_mprotect(at, PAGE, RW);
}

static void stack(void)
{
	unsigned char here[64];
	void *page = (void *)((uintptr_t)here & ~(PAGE - 1));

	here[0] = 5;
	say_result("stack rwx", do_mprotect(page, PAGE, RWX));
	do_mprotect(page, PAGE, RW);
	say("%d", here[0]);
}

static void shared(void)
{
	int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0700);
	void *at;

	must(id >= 0, "shmget");
	at = shmat(id, NULL, SHM_EXEC);
	say_result("shmat", at == (void *)-1 ? -1 : 0);
	if (at != (void *)-1)
		shmdt(at);
	shmctl(id, IPC_RMID, NULL);
}

/* What the kernel refuses at sight, or does without any danger. */
static void odd(void)
{
	unsigned char *at = do_mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(at != MAP_FAILED, "mmap");
	say_result("unaligned", do_mprotect(at + 1, PAGE, RX));
	say_result("nothing at all", do_mprotect(at, 0, RX));
	/* With addresses of 32 bits that is all that lies behind, the program's data too. */
	if (sizeof(size_t) > 4)
		say_result("too long", do_mprotect(at, (size_t)-1, RX));
	say_result("no such bits", do_mprotect(at, PAGE, 0x70));
	say_result("no length", do_munmap(at, 0));
	say_result("bad descriptor", do_mmap(NULL, PAGE, RX, MAP_PRIVATE, 987, 0) == MAP_FAILED ? -1 : 0);
	at = do_mremap(at, 2 * PAGE, PAGE, 0, NULL);
	say_result("shrunk", at == MAP_FAILED ? -1 : 0);
	do_munmap(at, PAGE);
}

static void caught(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];

	must(status, "/proc/self/status");
	while (fgets(line, sizeof line, status))
		if (strncmp(line, "SigCgt:", 7) == 0)
			fputs(line, stdout);
	fclose(status);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "mark", mark },     { "anonymous", anonymous }, { "devzero", devzero },
		{ "file", file },     { "heap", heap },           { "stack", stack },
		{ "shared", shared }, { "odd", odd },             { "caught", caught },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
