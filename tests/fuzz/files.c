/* files.c: what the walk maps. See walk.h. They stay open, since shared memory whose
 * file cannot be come by is a known limit, and nobody writes to the one that is mapped
 * privately: whether such a mapping shows it is left open by mmap(2). */
#include "walk.h"

#include <fcntl.h>

static struct {
	int whole, read_only;
} files[HEAP + 1];

static int read_only_twin(int fd)
{
	char name[64];
	int twin;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	twin = open(name, O_RDONLY | O_CLOEXEC);
	must(twin != -1, name);
	return twin;
}

static void keep(enum memory memory, int fd)
{
	must(fd != -1, "a file");
	files[memory].whole = fd;
	files[memory].read_only = read_only_twin(fd);
}

void files_begin(void)
{
	int memfd = memfd_create("walk", MFD_CLOEXEC);

	must(memfd != -1 && !ftruncate(memfd, (off_t)(FILE_PAGES * PAGE)), "memfd_create");
	files[ANONYMOUS].whole = files[ANONYMOUS].read_only = -1;
	files[SHARED_ANONYMOUS] = files[ANONYMOUS];
	keep(DEV_ZERO, open("/dev/zero", O_RDWR | O_CLOEXEC));
	keep(PRIVATE_FILE, temporary_file(FILE_PAGES * PAGE));
	keep(SHARED_FILE, temporary_file(FILE_PAGES * PAGE));
	keep(SHARED_MEMFD, memfd);
}

int file_of(enum memory memory, bool read_only)
{
	return read_only ? files[memory].read_only : files[memory].whole;
}
