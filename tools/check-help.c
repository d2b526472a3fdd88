/* check-help.c: is the dynamic loader going to be refused something before the first
 * constructor? Of the program and all that it needs, directly or not. See check.h. */
#include <config.h>

#include "check.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libraries.h"

enum { LIBRARIES_MAX = 1024 };

/* What was met, each once. */
struct met {
	struct {
		dev_t device;
		ino_t inode;
	} list[LIBRARIES_MAX];
	size_t count;
};

static bool is_new(struct met *met, int fd)
{
	struct stat status;

	if (fstat(fd, &status) != 0 || met->count == LIBRARIES_MAX)
		return false;
	for (size_t i = 0; i < met->count; i++)
		if (met->list[i].device == status.st_dev && met->list[i].inode == status.st_ino)
			return false;
	met->list[met->count].device = status.st_dev;
	met->list[met->count++].inode = status.st_ino;
	return true;
}

static bool look(struct met *met, const char *path, int fd, const struct elf *elf, bool program);

static bool look_at_library(struct met *met, const struct needing *by, const char *name)
{
	char path[PATH_MAX];
	const char *fault;
	struct elf elf;
	bool needed = false;
	int fd;

	if (!libraries_find(by, name, path))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	if (is_new(met, fd) && elf_identify(fd, &elf, &fault))
		needed = look(met, path, fd, &elf, false);
	close(fd);
	return needed;
}

/* The program's own segments and stack are the kernel's to make. */
static bool is_loaders(const struct elf_loading *loading, bool program)
{
	return loading->textrel || (!program && (loading->writable_code || loading->stack));
}

static bool look(struct met *met, const char *path, int fd, const struct elf *elf, bool program)
{
	struct elf_loading loading;
	struct needing by = {
		.path = path, .library_path = getenv("LD_LIBRARY_PATH"), .class = elf->class,
		.other_endian = elf->other_endian, .machine = elf->machine,
	};
	bool needed;

	elf_look_at_loading(fd, elf, &loading);
	by.runpath = loading.runpath;
	needed = is_loaders(&loading, program);
	for (char **name = loading.needed; name && *name && !needed; name++)
		needed = look_at_library(met, &by, *name);
	elf_loading_free(&loading);
	return needed;
}

/* A filter does not see what the kernel maps by itself: that answers EPERM. */
static bool are_such_segments_refused(void)
{
	void *memory = mmap(NULL, 1, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return errno == EACCES;
	munmap(memory, 1);
	return false;
}

bool help_to_start_is_needed(int fd, const struct elf *elf)
{
	struct elf_loading loading;

	elf_look_at_loading(fd, elf, &loading);
	elf_loading_free(&loading);
	return loading.writable_code && are_such_segments_refused();
}

const char *refused_at_start(int fd, const struct elf *elf)
{
	struct elf_loading loading;

	elf_look_at_loading(fd, elf, &loading);
	elf_loading_free(&loading);
	if (!loading.writable_code && !(elf->machine == EM_386 && loading.stack_unsaid))
		return NULL;
	if (!are_such_segments_refused())
		return NULL;
	return loading.writable_code ? "has a segment that is writable and executable" :
				       "does not say that its stack is not executable (it has no "
				       "PT_GNU_STACK), so that all of its memory would be";
}

bool help_is_needed(const char *path, int fd, const struct elf *elf)
{
	static struct met met;
	bool needed;

	met.count = 0;
	libraries_begin();
	needed = is_new(&met, fd) && look(&met, path, fd, elf, true);
	libraries_end();
	return needed;
}
