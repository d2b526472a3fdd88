/* perf-map.c: names for generated code, from the files that a JIT compiler
 * writes for perf(1): perf-PID.map, a line "START SIZE NAME" for each piece of
 * code, the numbers in hexadecimal.
 *
 * Anybody may put a file of that name into /tmp, and process ids come again. So
 * a file is believed only if it belongs to whoever reads this or to the user
 * whose journal it is, nobody else may write to it, and it was written to since
 * the process began. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

/* An address that a name is wanted for. */
struct wanted {
	uint32_t process;
	uint64_t address;
	char *name; /* the last that was given: code is overwritten */
};

static int by_address(const void *first, const void *second)
{
	const struct wanted *a = first, *b = second;

	if (a->process != b->process)
		return a->process < b->process ? -1 : 1;
	return a->address < b->address ? -1 : a->address > b->address;
}

static size_t add_unknown(struct wanted *all, size_t count, uint32_t process,
			  const struct stack *stack)
{
	for (unsigned i = 0; i < stack->count; i++)
		if (stack->frames[i].module == NONE)
			all[count++] = (struct wanted){ process, stack->frames[i].offset, NULL };
	return count;
}

static struct wanted *unknown_places(const struct model *model, size_t *count)
{
	size_t most = 1, kept = 0;
	struct wanted *all;

	for (uint32_t i = 0; i < model->way_count; i++)
		most += model->ways[i].stack->count + model->ways[i].origin_stack->count;
	all = calloc(most, sizeof *all);
	if (!all)
		fail("no memory");
	*count = 0;
	for (uint32_t i = 0; i < model->way_count; i++) {
		const struct way *way = &model->ways[i];

		if (way->process == NONE)
			continue;
		*count = add_unknown(all, *count, way->process, way->stack);
		*count = add_unknown(all, *count, way->process, way->origin_stack);
	}
	qsort(all, *count, sizeof *all, by_address);
	for (size_t i = 0; i < *count; i++)
		if (i == 0 || by_address(&all[i], &all[i - 1]) != 0)
			all[kept++] = all[i];
	*count = kept;
	return all;
}

static bool is_plausible(const struct model *model, const struct process *process,
			 const struct stat *status)
{
	return S_ISREG(status->st_mode) && !(status->st_mode & (S_IWGRP | S_IWOTH)) &&
	       (status->st_uid == geteuid() ||
		status->st_uid == model->journals[process->journal].user) &&
	       status->st_mtime >= process->first / 1000000 - 1;
}

static FILE *open_map(const struct model *model, const struct process *process,
		      const char *folder)
{
	struct stat status;
	char *path;
	FILE *file;
	int fd;

	if (asprintf(&path, "%s/perf-%d.map", folder, process->pid) < 0)
		fail("no memory");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	free(path);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && is_plausible(model, process, &status)) {
		file = fdopen(fd, "r");
		if (file)
			return file;
	}
	close(fd);
	return NULL;
}

/* A return address may be the end of the code that calls at its end. */
static void name_range(struct wanted *all, size_t count, uint64_t start, uint64_t size,
		       const char *name)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (all[middle].address - 1 < start)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < count && all[low].address - 1 - start < size; low++) {
		free(all[low].name);
		all[low].name = duplicate(name);
	}
}

static void read_map(FILE *file, struct wanted *all, size_t count)
{
	char line[4096];
	bool begun = true;

	while (fgets(line, sizeof line, file)) {
		unsigned long long start, size;
		size_t length = strlen(line);
		bool beginning = begun;
		int name = 0;

		begun = length && line[length - 1] == '\n';
		if (begun)
			line[length - 1] = '\0';
		if (beginning && sscanf(line, "%llx %llx %n", &start, &size, &name) == 2 && name &&
		    line[name] && size)
			name_range(all, count, start, size, line + name);
	}
}

static void give(struct model *model, const struct wanted *wanted)
{
	struct spot *spot;

	if (!wanted->name)
		return;
	spot = calloc(1, sizeof *spot);
	if (!spot)
		fail("no memory");
	spot->function = wanted->name;
	symbols_add(model, (struct frame){ NONE, wanted->address }, wanted->process, spot, 1);
}

void perf_maps_read(struct model *model, const char *folder)
{
	size_t count, from, to;
	struct wanted *all = unknown_places(model, &count);

	for (from = 0; from < count; from = to) {
		FILE *file = open_map(model, &model->processes[all[from].process], folder);

		for (to = from; to < count && all[to].process == all[from].process;)
			to++;
		if (!file)
			continue;
		read_map(file, all + from, to - from);
		fclose(file);
		for (size_t i = from; i < to; i++)
			give(model, &all[i]);
	}
	free(all);
}
