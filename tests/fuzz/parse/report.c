/* report.c: any bytes as a journal, and behind the first NUL as the map of generated code
 * of its first process; reported in each format. What is JSON must be some.
 * Sources: tools/report/journal.c tools/report/model.c tools/report/spread.c
 * Sources: tools/report/table.c tools/report/symbols.c tools/report/perf-map.c
 * Sources: tools/report/demangle.c tools/report/advice.c tools/report/progress.c
 * Sources: tools/report/print.c tools/json-values.c tools/report/format-text.c
 * Sources: tools/report/format-json.c tools/report/format-folded.c
 * Sources: tools/report/format-sarif.c tools/report/format-html.c
 * Sources: src/text.c src/memory.c
 * Sources: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free -ljansson -ldw -lelf */
#include "input.h"

#include <jansson.h>
#include <stdio.h>

#include "../../../tools/report/report.h"

/* ------------------------------------------------------------------ memory */

/* The program leaves its model to the end of the process: here it goes at the end of each
 * input. */
static void **kept;
static size_t kept_count, kept_room;
static int keeping;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

static void *keep(void *memory)
{
	if (!keeping || !memory)
		return memory;
	if (kept_count == kept_room) {
		kept_room = kept_room ? 2 * kept_room : 256;
		kept = __real_realloc(kept, kept_room * sizeof *kept);
	}
	kept[kept_count++] = memory;
	return memory;
}

static void lose(const void *memory)
{
	for (size_t i = kept_count; i-- > 0;)
		if (kept[i] == memory) {
			kept[i] = kept[--kept_count];
			return;
		}
}

void *__wrap_malloc(size_t size)
{
	return keep(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return keep(__real_calloc(count, size));
}

void *__wrap_realloc(void *memory, size_t size)
{
	lose(memory);
	return keep(__real_realloc(memory, size));
}

void __wrap_free(void *memory)
{
	lose(memory);
	__real_free(memory);
}

static void free_kept(void)
{
	keeping = 0;
	while (kept_count)
		__real_free(kept[--kept_count]);
}

/* ---------------------------------------------------- what main.c has else */

void fail(const char *format, ...)
{
	(void)format;
	abort();
}

void *grown(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 16;
	return realloc(array, *room * size);
}

char *duplicate(const char *string)
{
	size_t size = strlen(string) + 1;

	return memcpy(malloc(size), string, size);
}

/* ----------------------------------------------------------------- the test */

static char folder[] = "/tmp/jitmend-maps-XXXXXX";
static char map[64];

static void remove_maps(void)
{
	unlink(map);
	rmdir(folder);
}

static void make_folder(void)
{
	static int made;

	if (made++)
		return;
	if (!mkdtemp(folder))
		abort();
	atexit(remove_maps);
}

static void write_map(int pid, const uint8_t *data, size_t size)
{
	FILE *file;

	unlink(map);
	snprintf(map, sizeof map, "%s/perf-%d.map", folder, pid);
	file = fopen(map, "w");
	if (!file || fwrite(data, 1, size, file) != size || fclose(file))
		abort();
}

static void write_report(const struct model *model, const struct options *options,
			 void (*format)(FILE *, const struct model *, const struct options *))
{
	char *bytes = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&bytes, &size);
	json_t *json;

	format(out, model, options);
	if (!out || fclose(out))
		abort();
	if (format == format_json || format == format_sarif) {
		json = json_loadb(bytes, size, 0, NULL);
		if (!json)
			abort();
		json_decref(json);
	}
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const name = "journal";
	const uint8_t *end = memchr(data, '\0', size);
	size_t length = end ? (size_t)(end - data) : size;
	struct options options = { .top = SIZE_MAX };
	struct model *model;
	char path[64];

	make_folder();
	snprintf(path, sizeof path, "/proc/self/fd/%d", input_file(data, length));
	keeping = 1;
	model = calloc(1, sizeof *model);
	journal_read(model, path);
	model_sort(model);
	if (end && model->process_count) {
		write_map(model->processes[0].pid, end + 1, size - length - 1);
		perf_maps_read(model, folder);
	}
	model->journals[0].name = name;
	write_report(model, &options, format_text);
	write_report(model, &options, format_json);
	write_report(model, &options, format_folded);
	write_report(model, &options, format_sarif);
	write_report(model, &options, format_html);
	free_kept();
	return 0;
}
