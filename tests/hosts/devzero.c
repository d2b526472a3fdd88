/* devzero.c: private mappings of /dev/zero, the old way to anonymous memory,
 * by every path and flag; shared ones, which are another thing. */
#include "host.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

static int open_zero(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	must(fd >= 0, path);
	return fd;
}

/* One mapping's life: zero, written, code, data, shorter, gone. */
static void live(const char *what, int fd, off_t offset, int protection)
{
	unsigned char *at = do_mmap(NULL, 3 * PAGE, protection, MAP_PRIVATE, fd, offset);
	pid_t child;

	if (at == MAP_FAILED) {
		say_result(what, -1);
		return;
	}
	say("%s", what);
	say_protection("pages", at, 3);
	if (protection & PROT_READ)
		say("zero %d", all_bytes(at, 3 * PAGE, 0));
	say_result("writable", do_mprotect(at, 3 * PAGE, RW));
	memset(at, 'z', 3 * PAGE);
	code_write(at + PAGE, 12);
	say_result("code", do_mprotect(at + PAGE, PAGE, RX));
	say("%d", code_run(at + PAGE));
	say_result("code", do_mprotect(at, 3 * PAGE, RWX));
	say_protection("pages", at, 3);
	child = fork();
	if (child == 0) {
		at[0] = 'c';
		_exit(code_run(at + PAGE));
	}
	say_child("child", child);
	say("%c %d", at[0], code_run(at + PAGE));
	say_result("dontneed", do_madvise(at, PAGE, MADV_DONTNEED));
	say("zero %d, kept %d", all_bytes(at, PAGE, 0), all_bytes(at + 2 * PAGE, PAGE, 'z'));
	at = do_mremap(at, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE, NULL);
	say("grown: %d", at != MAP_FAILED && all_bytes(at + 3 * PAGE, 2 * PAGE, 0));
	say_result("unmapped", do_munmap(at, 5 * PAGE));
}

static void lives(void)
{
	int fd = open_zero("/dev/zero", O_RDWR);
	char path[64];

	live("read and write", fd, 0, RW);
	live("at once", fd, 0, RWX);
	live("offset", fd, 5 * (off_t)PAGE, RW);
	live("nothing allowed", fd, 0, PROT_NONE);
	live("bad offset", fd, 17, RW);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	live("another path", open_zero(path, O_RDWR), 0, RW);
	live("copied descriptor", fcntl(fd, F_DUPFD_CLOEXEC, 200), 0, RW);
	close(fd);
	live("closed", fd, 0, RW);
	live("read only", open_zero("/dev/zero", O_RDONLY), 0, RW);
	live("write only", open_zero("/dev/zero", O_WRONLY), 0, RW);
	live("path only", open_zero("/dev/zero", O_PATH), 0, RW);
	live("/dev/full", open_zero("/dev/full", O_RDWR), 0, RW);
	live("/dev/null", open_zero("/dev/null", O_RDWR), 0, RW);
}

/* The device under a name of its own. */
static void other_name(void)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/host-device-%d", folder ? folder : "/tmp", getpid());
	if (mknod(path, S_IFCHR | 0600, makedev(1, 5)) != 0) {
		say("no device can be made");
		return;
	}
	fd = open(path, O_RDWR | O_CLOEXEC);
	unlink(path);
	if (fd < 0) {
		say("no device can be opened");
		return;
	}
	live("other name", fd, 0, RW);
	close(fd);
}

static void fixed(void)
{
	int fd = open_zero("/dev/zero", O_RDWR);
	unsigned char *at = do_mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(at != MAP_FAILED, "mmap");
	memset(at, 'o', 4 * PAGE);
	say("over: %d", do_mmap(at + PAGE, PAGE, RWX, MAP_PRIVATE | MAP_FIXED, fd, 0) == at + PAGE);
	say("%c %d %c", at[0], at[PAGE], at[2 * PAGE]);
	say_protection("pages", at, 4);
	say("taken: %d", do_mmap(at, PAGE, RW, MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0) ==
	    MAP_FAILED && errno == EEXIST);
	say("odd address: %d", do_mmap(at + 1, PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
	    MAP_FAILED && errno == EINVAL);
	say("no length: %d", do_mmap(NULL, 0, RW, MAP_PRIVATE, fd, 0) ==
	    MAP_FAILED && errno == EINVAL);
	say("too long: %d", do_mmap(NULL, (size_t)-1, RW, MAP_PRIVATE, fd, 0) ==
	    MAP_FAILED && errno == ENOMEM);
	say("neither private nor shared: %d", do_mmap(NULL, PAGE, RW, 0, fd, 0) ==
	    MAP_FAILED && errno == EINVAL);
	say("both flags: %d", do_mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, fd, 0) !=
	    MAP_FAILED);
	say("reserved: %d", do_mmap(NULL, (size_t)1 << (sizeof(long) == 8 ? 33 : 29), RW, MAP_PRIVATE | MAP_NORESERVE, fd, 0) !=
	    MAP_FAILED);
	say("populated: %d", do_mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_POPULATE, fd, 0) !=
	    MAP_FAILED);
#ifdef MAP_32BIT
	say("low: %d", (uint64_t)(uintptr_t)do_mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_32BIT, fd, 0) >> 32 == 0);
#endif
	say("by mmap64: %d", mmap64(NULL, PAGE, RW, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	do_munmap(at, 4 * PAGE);
	close(fd);
}

/* Shared, it is memory that a child of fork shares. */
static void shared(void)
{
	int fd = open_zero("/dev/zero", O_RDWR);
	unsigned char *at = do_mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	pid_t child;

	must(at != MAP_FAILED, "mmap");
	child = fork();
	if (child == 0) {
		code_write(at, 99);
		_exit(0);
	}
	say_child("child", child);
	say_result("code", do_mprotect(at, PAGE, RX));
	say("%d", code_run(at));
	say_protection("pages", at, 2);
	do_munmap(at, 2 * PAGE);
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "lives", lives },
		{ "other-name", other_name },
		{ "fixed", fixed },
		{ "shared", shared },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
