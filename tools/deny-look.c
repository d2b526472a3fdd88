/* deny-look.c: what /proc tells of a supervised process. See deny-look.h. */
#include <config.h>

#include "deny-look.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

static FILE *open_proc(pid_t thread, const char *file)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)thread, file);
	return fopen(path, "re");
}

static bool starts_with(const char *string, const char *prefix)
{
	return strncmp(string, prefix, strlen(prefix)) == 0;
}

/* Files of the kernel's own have names that no lookup leads to. A memfd is not
 * among them: SELinux takes it for a file like any other. */
static enum backing backing_of(const char *name, bool on_major_0)
{
	if (on_major_0 && (strcmp(name, "/dev/zero (deleted)") == 0 ||
			   starts_with(name, "/SYSV")))
		return BACKING_INTERNAL;
	if (starts_with(name, "anon_inode:"))
		return BACKING_INTERNAL;
	return BACKING_FILE;
}

/* A line such as
 * 7f00-7f10 rw-p 00000000 08:01 1234     /path */
static bool parse_area(const char *line, struct area *area)
{
	char mode[5];
	unsigned major, minor;
	uint64_t inode;
	int at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %x:%x %" SCNu64 " %n", &area->start,
		   &area->end, mode, &major, &minor, &inode, &at) < 6 || at == 0)
		return false;
	snprintf(area->name, sizeof area->name, "%.*s", (int)strcspn(line + at, "\n"),
		 line + at);
	area->protection = (mode[0] == 'r' ? PROT_READ : 0u) |
			   (mode[1] == 'w' ? PROT_WRITE : 0u) |
			   (mode[2] == 'x' ? PROT_EXEC : 0u);
	area->shared = mode[3] == 's';
	area->heap = strcmp(area->name, "[heap]") == 0;
	area->backing = BACKING_ANONYMOUS;
	if (inode || major || minor)
		area->backing = backing_of(area->name, major == 0);
	area->may_exec = true;
	area->written = false;
	return true;
}

/* The lines of smaps that follow an area's. Anonymous counts the pages that a
 * write has made private. */
static void parse_detail(const char *line, struct area *area)
{
	unsigned long kilobytes;

	if (starts_with(line, "VmFlags:"))
		area->may_exec = strstr(line, " me") != NULL;
	else if (area->shared)
		return;
	else if (sscanf(line, "Anonymous: %lu", &kilobytes) == 1 ||
		 sscanf(line, "Swap: %lu", &kilobytes) == 1)
		area->written |= kilobytes > 0;
}

static bool make_room(struct view *view)
{
	size_t room = view->room ? 2 * view->room : 256;
	struct area *areas;

	if (view->count < view->room)
		return true;
	areas = realloc(view->areas, room * sizeof *areas);
	if (!areas)
		return false;
	view->areas = areas;
	view->room = room;
	return true;
}

static bool read_areas(FILE *stream, struct view *view)
{
	char *line = NULL;
	size_t size = 0;
	bool good = true;

	view->count = 0;
	while (good && getline(&line, &size, stream) > 0) {
		good = make_room(view);
		if (good && parse_area(line, &view->areas[view->count]))
			view->count++;
		else if (good && view->count)
			parse_detail(line, &view->areas[view->count - 1]);
	}
	free(line);
	return good && view->count;
}

/* Fields 28 and 47 of proc(5)'s stat; the second holds the name, with whatever
 * characters. */
static bool read_places(FILE *stream, struct view *view)
{
	char line[2048], *at, *rest = NULL;
	int field = 3;

	if (!fgets(line, sizeof line, stream))
		return false;
	at = strrchr(line, ')');
	if (!at)
		return false;
	for (at = strtok_r(at + 1, " ", &rest); at; at = strtok_r(NULL, " ", &rest)) {
		if (field == 28)
			view->start_stack = strtoull(at, NULL, 10);
		if (field == 47)
			view->start_brk = strtoull(at, NULL, 10);
		field++;
	}
	return field > 47;
}

static bool look(pid_t thread, const char *file, struct view *view,
		 bool (*read_it)(FILE *, struct view *))
{
	FILE *stream = open_proc(thread, file);
	bool good;

	if (!stream)
		return false;
	good = read_it(stream, view);
	fclose(stream);
	return good;
}

bool look_at_memory(pid_t thread, const char *file, struct view *view)
{
	/* stat gives zeros, no error, where maps may not be read. */
	if (!look(thread, file, view, read_areas) || !look(thread, "stat", view, read_places))
		return false;
	view->brk = rules_guess_brk(view);
	return true;
}

bool look_at_personality(pid_t thread, bool otherwise)
{
	FILE *stream = open_proc(thread, "personality");
	unsigned long personality;
	bool set = otherwise;

	if (!stream)
		return otherwise;
	if (fscanf(stream, "%lx", &personality) == 1)
		set = personality & READ_IMPLIES_EXEC;
	fclose(stream);
	return set;
}

/* Returns false where the thread is running. */
static bool read_stack_pointer(pid_t thread, uint64_t *pointer)
{
	FILE *stream = open_proc(thread, "syscall");
	char line[256] = "";

	*pointer = 0;
	if (!stream)
		return true;
	/* nr, six arguments, stack pointer, program counter; or "running" */
	if (fgets(line, sizeof line, stream))
		sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %" SCNx64, pointer);
	fclose(stream);
	return !starts_with(line, "running");
}

uint64_t look_at_stack_pointer(pid_t thread)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	uint64_t pointer;

	/* Its question may be here before it sleeps, above all on kernels before
	 * 6.6, which do not keep the two on one processor. */
	for (int tries = 0; !read_stack_pointer(thread, &pointer) && tries < 1000; tries++)
		nanosleep(&moment, NULL);
	return pointer;
}

bool look_at_descriptor(pid_t thread, int fd, enum backing *backing, bool *noexec)
{
	char path[64], name[64];
	struct statvfs mount;
	ssize_t length;
	int opened;

	*backing = BACKING_FILE;
	*noexec = false;
	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)thread, fd);
	length = readlink(path, name, sizeof name - 1);
	if (length < 0)
		return errno != ENOENT;
	name[length] = '\0';
	*backing = backing_of(name, false);
	opened = open(path, O_PATH | O_CLOEXEC);
	if (opened < 0)
		return true;
	*noexec = fstatvfs(opened, &mount) == 0 && (mount.f_flag & ST_NOEXEC);
	close(opened);
	return true;
}

pid_t look_at_process(pid_t thread)
{
	FILE *stream = open_proc(thread, "status");
	char line[256];
	int process = (int)thread;

	if (!stream)
		return thread;
	while (fgets(line, sizeof line, stream))
		if (sscanf(line, "Tgid: %d", &process) == 1)
			break;
	fclose(stream);
	return process;
}

void look_at_name(pid_t thread, char name[static 32])
{
	FILE *stream = open_proc(thread, "comm");

	name[0] = '\0';
	if (!stream)
		return;
	if (!fgets(name, 32, stream))
		name[0] = '\0';
	name[strcspn(name, "\n")] = '\0';
	fclose(stream);
}
