/* promise.c: holds a running program against the promise of strict W^X: no page
 * is writable and executable at once, neither by one mapping nor by two, in one
 * process or in several.
 *
 *	promise COUNT NAME PROGRAM [ARG...]
 *	promise --maps FILE...
 *
 * Runs PROGRAM over and over, stops it and all of its children at odd moments,
 * and reads their /proc/PID/maps, until COUNT looks found a process whose
 * executable is called NAME and that had code in memory of its own making.
 * With --maps each file is the maps of a process, all of one moment.
 *
 * Exit status: 0 kept, 1 broken (with the mappings concerned), 2 the promise
 * was not put to the test: bad usage, or too few looks. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 64, SECONDS = 600, RUNS_WITHOUT_A_LOOK = 50 };

struct mapping {
	unsigned long start, end, offset, inode;
	unsigned device_major, device_minor;
	char rights[5];
	int process;
	char line[400];
};

static struct mapping *mappings;
static size_t length, room;

/* ------------------------------------------------------------------ one look */

static void add_line(int process, const char *line)
{
	struct mapping *mapping;

	if (length == room) {
		room = room ? 2 * room : 1024;
		mappings = realloc(mappings, room * sizeof(*mappings));
		if (!mappings)
			exit(2);
	}
	mapping = &mappings[length];
	memset(mapping, 0, sizeof(*mapping));
	if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu", &mapping->start, &mapping->end,
		   mapping->rights, &mapping->offset, &mapping->device_major,
		   &mapping->device_minor, &mapping->inode) != 7)
		return;
	mapping->process = process;
	memcpy(mapping->line, line, strcspn(line, "\n") % sizeof(mapping->line));
	length++;
}

static bool read_maps(int process, const char *name)
{
	FILE *lines = fopen(name, "re");
	char line[5000];

	if (!lines)
		return false;
	while (fgets(line, sizeof(line), lines))
		add_line(process, line);
	fclose(lines);
	return true;
}

static bool executable(const struct mapping *mapping)
{
	return mapping->rights[2] == 'x';
}

/* A store through a private mapping goes to a copy. */
static bool writable_for_all(const struct mapping *mapping)
{
	return mapping->rights[1] == 'w' && mapping->rights[3] == 's';
}

static bool same_page(const struct mapping *a, const struct mapping *b)
{
	return a->inode && a->inode == b->inode && a->device_major == b->device_major &&
	       a->device_minor == b->device_minor &&
	       a->offset < b->offset + (b->end - b->start) &&
	       b->offset < a->offset + (a->end - a->start);
}

/* Executable memory that is no file's: what a program of code makes. */
static bool own_code(const struct mapping *mapping)
{
	const char *path = strpbrk(mapping->line, "/[");

	if (!executable(mapping))
		return false;
	return !path || !strncmp(path, "/memfd:", 7) || !strncmp(path, "/dev/zero", 9) ||
	       !strncmp(path, "[heap]", 6) || !strncmp(path, "[anon", 5);
}

/* Says which mappings break the promise; each only once. */
static bool kept(void)
{
	bool good = true;
	size_t i, j;

	for (i = 0; i < length; i++) {
		if (executable(&mappings[i]) && mappings[i].rights[1] == 'w') {
			printf("writable and executable:\n%s\n", mappings[i].line);
			good = false;
		}
		if (!writable_for_all(&mappings[i]))
			continue;
		for (j = 0; j < length; j++)
			if (i != j && executable(&mappings[j]) &&
			    same_page(&mappings[i], &mappings[j])) {
				printf("writable by one, executable by another:\n%d %s\n%d %s\n",
				       mappings[i].process, mappings[i].line,
				       mappings[j].process, mappings[j].line);
				good = false;
			}
	}
	return good;
}

/* --------------------------------------------------------------- the program */

/* State and group of a process, from the end of its name on. */
static bool read_stat(const char *process, char *state, int *group)
{
	char name[300], text[1000], *rest;
	ssize_t got;
	int fd, parent;

	snprintf(name, sizeof(name), "/proc/%s/stat", process);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got <= 0)
		return false;
	text[got] = 0;
	rest = strrchr(text, ')');
	return rest && sscanf(rest + 1, " %c %d %d", state, &parent, group) == 3;
}

/* The processes of GROUP that are alive; those that are not stopped count too. */
static int members(int group, int *processes, int *running)
{
	DIR *all = opendir("/proc");
	struct dirent *entry;
	int n = 0, its_group;
	char state;

	*running = 0;
	if (!all)
		exit(2);
	while ((entry = readdir(all)) && n < PROCESSES) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !read_stat(entry->d_name, &state, &its_group) || its_group != group ||
		    strchr("ZX", state))
			continue;
		processes[n++] = atoi(entry->d_name);
		*running += state != 'T';
	}
	closedir(all);
	return n;
}

static void pause_for(long nanoseconds)
{
	struct timespec moment = { 0, nanoseconds };

	nanosleep(&moment, NULL);
}

static bool is_called(int process, const char *name)
{
	char path[64], comm[17] = "";
	int file;
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/comm", process);
	file = open(path, O_RDONLY);
	got = file < 0 ? -1 : read(file, comm, sizeof(comm) - 1);
	if (file >= 0)
		close(file);
	/* Its first 15 bytes, and a newline. */
	return got > 1 && !strncmp(comm, name, (size_t)got - 1) &&
	       strlen(name) >= (size_t)got - 1;
}

/* Stops all of them, and looks. Whether the look counts goes to *COUNTS; a
 * process in vfork cannot stop, its child can: then there is nothing to see. */
static bool look(int group, const char *name, bool *counts)
{
	int processes[PROCESSES], running, n, i, tries;
	char path[64];
	bool good = true;
	size_t j;

	*counts = false;
	kill(-group, SIGSTOP);
	for (tries = 0; tries < 2000; tries++) {
		n = members(group, processes, &running);
		if (!n || !running)
			break;
		pause_for(100000);
		/* One that was forked meanwhile. */
		if (tries % 10 == 9)
			kill(-group, SIGSTOP);
	}
	if (n && !running) {
		bool called = false, code = false;

		length = 0;
		for (i = 0; i < n; i++) {
			snprintf(path, sizeof(path), "/proc/%d/maps", processes[i]);
			read_maps(processes[i], path);
			called |= is_called(processes[i], name);
		}
		for (j = 0; j < length; j++)
			code |= own_code(&mappings[j]);
		good = kept();
		*counts = called && code;
	}
	kill(-group, SIGCONT);
	return good;
}

static int run(char **command)
{
	int child = fork(), null;

	if (child == 0) {
		setpgid(0, 0);
		null = open("/dev/null", O_RDWR);
		dup2(null, STDOUT_FILENO);
		execvp(command[0], command);
		_exit(127);
	}
	setpgid(child, child);
	return child;
}

/* One run, with looks until it ends. */
static bool watch(const char *name, char **command, long wanted, long *looks, int *status)
{
	int child = run(command);
	unsigned odd = 1;
	bool good = true, counts;

	while (good && *looks < wanted) {
		odd = odd * 1103515245u + 12345u;
		pause_for((long)(odd >> 16) % 100 * 20000);
		if (waitpid(child, status, WNOHANG) == child)
			return true;
		good = look(child, name, &counts);
		*looks += counts;
	}
	kill(-child, SIGKILL);
	waitpid(child, status, 0);
	*status = 0;
	return good;
}

static int watch_often(long wanted, const char *name, char **command)
{
	time_t end = time(NULL) + SECONDS;
	long looks = 0, before = 0;
	int status = 0, in_vain = 0;

	while (looks < wanted && in_vain < RUNS_WITHOUT_A_LOOK && time(NULL) < end) {
		if (!watch(name, command, wanted, &looks, &status))
			return 1;
		if (status) {
			printf("%s ended with status %#x\n", command[0], (unsigned)status);
			return 2;
		}
		in_vain = looks == before ? in_vain + 1 : 0;
		before = looks;
	}
	printf("%ld looks, %ld wanted\n", looks, wanted);
	return looks < wanted ? 2 : 0;
}

int main(int argc, char **argv)
{
	int i;

	if (argc > 2 && !strcmp(argv[1], "--maps")) {
		for (i = 2; i < argc; i++)
			if (!read_maps(i - 1, argv[i]))
				return 2;
		return kept() ? 0 : 1;
	}
	if (argc < 4 || atol(argv[1]) < 1)
		return 2;
	return watch_often(atol(argv[1]), argv[2], argv + 3);
}
