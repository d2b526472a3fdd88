/* journal.c: reads a journal, line by line, as jitmend-journal(5) has them.
 *
 * It takes nothing for granted: a line that is no JSON, lacks a field or has a
 * value that it cannot have is named and left out, and the next one is read. A
 * field that this does not know is passed over: a later jitmend may add some. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

#define LONGEST_LINE (1u << 20)
#define MOST_EXACT ((json_int_t)1 << 53)

const char *const danger_words[] = { "devzero", "execheap", "execmod", "execmem", "execstack",
				     NULL };
const char *const answer_words[] = { "refused", "expected", "allowed", "unknown", NULL };
const char *const done_words[] = { "passed-on", "not-mended", "mapped-anonymous", "moved",
				   "copied", "shared", "viewed", "emulated", NULL };
const char *const call_words[] = { "mmap", "mprotect", "shmat", "execute", NULL };
const char *const refusal_words[] = { "", "EACCES", "EPERM", NULL };
const char *const origin_words[] = { "mmap", "mremap", "shmat", "sbrk", "brk", "posix_memalign",
				     "aligned_alloc", "memalign", "valloc", "pvalloc", "malloc",
				     "calloc", "realloc", "reallocarray", NULL };

/* What is being read, and what is wrong with it. */
struct reader {
	struct model *model;
	uint32_t journal;
	char wrong[256];
};

void problem(struct model *model, uint32_t journal, unsigned long line, const char *format, ...)
{
	struct problem *entry;
	char text[512];
	va_list arguments;

	model->broken++;
	model->journals[journal].broken++;
	if (model->problem_count == MOST_PROBLEMS)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	model->problems = grown(model->problems, model->problem_count, &model->problem_room,
				sizeof *model->problems);
	entry = &model->problems[model->problem_count++];
	*entry = (struct problem){ .journal = model->journals[journal].name, .line = line,
				   .text = duplicate(text) };
}

/* Always false, so that a reader can end with it. */
__attribute__((format(printf, 2, 3))) static bool wrong(struct reader *reader, const char *format,
							...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reader->wrong, sizeof reader->wrong, format, arguments);
	va_end(arguments);
	return false;
}

/* ------------------------------------------------------------------ values */

static bool read_string(struct reader *reader, const json_t *object, const char *name,
			const char **value)
{
	*value = json_string_value(json_object_get(object, name));
	return *value || wrong(reader, "'%s' is missing, or no string", name);
}

static bool read_number(struct reader *reader, const json_t *object, const char *name,
			uint64_t *value)
{
	const json_t *number = json_object_get(object, name);

	if (!json_is_integer(number) || json_integer_value(number) < 0 ||
	    json_integer_value(number) > MOST_EXACT)
		return wrong(reader, "'%s' is missing, or no number that it can be", name);
	*value = (uint64_t)json_integer_value(number);
	return true;
}

static bool read_address(struct reader *reader, const json_t *object, const char *name,
			 uint64_t *value)
{
	const char *string = json_string_value(json_object_get(object, name));
	size_t digits = string && strncmp(string, "0x", 2) == 0 ?
				strspn(string + 2, "0123456789abcdef") : 0;

	if (digits == 0 || digits > 16 || string[2 + digits])
		return wrong(reader, "'%s' is missing, or no address", name);
	*value = strtoull(string, NULL, 16);
	return true;
}

/* A word of a list, as its number there. */
static bool read_word(struct reader *reader, const json_t *object, const char *name,
		      const char *const *words, int *number)
{
	const char *word;

	if (!read_string(reader, object, name, &word))
		return false;
	for (*number = 0; words[*number]; ++*number)
		if (strcmp(word, words[*number]) == 0)
			return true;
	return wrong(reader, "'%s' has a value that is not known: '%.40s'", name, word);
}

/* ------------------------------------------------------------------ stacks */

static bool is_build_id(const char *string)
{
	size_t length = strlen(string);

	return length >= 2 && length <= 64 && length % 2 == 0 &&
	       string[strspn(string, "0123456789abcdef")] == '\0';
}

static bool read_frame(struct reader *reader, const json_t *object, struct stack *stack)
{
	struct frame *frame = &stack->frames[stack->count];
	const char *path, *build_id = json_string_value(json_object_get(object, "build_id"));

	if (json_object_get(object, "more"))
		return read_number(reader, object, "more", &stack->more);
	if (json_object_get(object, "unknown")) {
		frame->module = NONE;
		stack->count++;
		return read_address(reader, object, "unknown", &frame->offset);
	}
	if (!read_string(reader, object, "module", &path) ||
	    !read_address(reader, object, "offset", &frame->offset))
		return false;
	if (build_id && !is_build_id(build_id))
		return wrong(reader, "'build_id' is none");
	if (*path == '\0' || strlen(path) > 4096)
		return wrong(reader, "'module' is no name of a file");
	frame->module = model_module(reader->model, path, build_id ? build_id : "");
	if (frame->module == NONE) {
		reader->model->crowded++;
		return true;
	}
	stack->count++;
	return true;
}

static bool read_stack(struct reader *reader, const json_t *object, struct stack *stack)
{
	const json_t *array = json_object_get(object, "stack");

	stack->count = 0;
	stack->more = 0;
	if (!json_is_array(array))
		return wrong(reader, "'stack' is missing, or no array");
	if (json_array_size(array) > MOST_FRAMES)
		return wrong(reader, "'stack' has %zu frames", json_array_size(array));
	for (size_t i = 0; i < json_array_size(array); i++)
		if (!read_frame(reader, json_array_get(array, i), stack))
			return false;
	return true;
}

/* ------------------------------------------------------------------- lines */

static bool read_head(struct reader *reader, const json_t *line, struct head_line *head)
{
	const json_t *time = json_object_get(line, "time");
	uint64_t pid = 0;

	if (!json_is_number(time) || json_number_value(time) < 0 ||
	    json_number_value(time) > 9007199254.0)
		return wrong(reader, "'time' is missing, or no time");
	if (!read_number(reader, line, "pid", &pid) || !read_string(reader, line, "comm", &head->comm))
		return false;
	if (pid == 0 || pid > INT32_MAX)
		return wrong(reader, "'pid' is no process id");
	if (strlen(head->comm) > 64)
		return wrong(reader, "'comm' is too long for a program's short name");
	head->journal = reader->journal;
	head->pid = (int)pid;
	head->time = (int64_t)(json_number_value(time) * 1e6 + 0.5);
	return true;
}

/* Words with blanks between; NULL where it is no list of words. */
static char *policy_words(const json_t *array)
{
	char words[256] = "";

	if (!json_is_array(array))
		return NULL;
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *word = json_string_value(json_array_get(array, i));

		if (!word || strlen(words) + strlen(word) + 2 > sizeof words)
			return NULL;
		strcat(words, i ? " " : "");
		strcat(words, word);
	}
	return duplicate(words);
}

static bool read_start(struct reader *reader, const json_t *line, const struct head_line *head)
{
	struct start_line start = {
		.mdwe = json_is_true(json_object_get(line, "mdwe")),
		.continues = json_is_true(json_object_get(line, "continues")),
	};
	const char *mode;

	if (!read_string(reader, line, "program", &start.program) ||
	    !read_string(reader, line, "kernel", &start.kernel) ||
	    !read_string(reader, line, "machine", &start.machine) ||
	    !read_string(reader, line, "mode", &mode))
		return false;
	start.audit = strcmp(mode, "audit") == 0;
	start.policy = policy_words(json_object_get(line, "policy"));
	if (!start.policy)
		return wrong(reader, "'policy' is missing, or no list of words");
	model_start(reader->model, head, &start);
	return true;
}

static bool read_words(struct reader *reader, const json_t *line, struct request_line *request)
{
	int call, danger, answer, done, refusal = REFUSAL_NONE;

	if (!read_word(reader, line, "call", call_words, &call) ||
	    !read_word(reader, line, "danger", danger_words, &danger) ||
	    !read_word(reader, line, "answer", answer_words, &answer) ||
	    !read_word(reader, line, "done", done_words, &done))
		return false;
	if (answer == ANSWER_REFUSED && !read_word(reader, line, "errno", refusal_words, &refusal))
		return false;
	request->call = (enum call)call;
	request->danger = (enum danger)danger;
	request->answer = (enum answer)answer;
	request->done = (enum done)done;
	request->refusal = (enum refusal)refusal;
	return true;
}

static bool is_protection(const char *string)
{
	return strlen(string) == 3 && strchr("r-", string[0]) && strchr("w-", string[1]) &&
	       strchr("x-", string[2]);
}

/* How long a segment of shmat's is the kernel alone knows: a page is shown. */
static bool read_memory(struct reader *reader, const json_t *line, struct request_line *request)
{
	const json_t *piece = json_object_get(line, "piece");

	request->protection = "";
	if (!read_address(reader, line, "address", &request->address))
		return false;
	if (!read_address(reader, piece, "address", &request->piece_address))
		return wrong(reader, "'piece' is missing, or has no address");
	if (request->call == CALL_MPROTECT || request->call == CALL_EXECUTE)
		request->flags = 0;
	else if (!read_address(reader, line, "flags", &request->flags))
		return false;
	request->length = 0;
	request->piece_length = 4096;
	if (request->call == CALL_SHMAT)
		return true;
	if (!read_number(reader, piece, "length", &request->piece_length))
		return wrong(reader, "'piece' has no length");
	if (!read_number(reader, line, "length", &request->length) ||
	    !read_string(reader, line, "protection", &request->protection))
		return false;
	return is_protection(request->protection) || wrong(reader, "'protection' is none");
}

static bool read_origin(struct reader *reader, const json_t *line, struct request_line *request)
{
	const json_t *origin = json_object_get(line, "origin");
	int call;

	request->origin = NULL;
	request->origin_stack.count = 0;
	request->origin_stack.more = 0;
	if (!origin)
		return true;
	if (!read_word(reader, origin, "call", origin_words, &call) ||
	    !read_number(reader, origin, "length", &request->origin_length) ||
	    !read_stack(reader, origin, &request->origin_stack))
		return false;
	request->origin = origin_words[call];
	return true;
}

static bool read_site(struct reader *reader, const json_t *line, unsigned *site)
{
	uint64_t number = 0;

	if (!read_number(reader, line, "site", &number))
		return false;
	if (number == 0 || number > LAST_SITE)
		return wrong(reader, "'site' is %llu, and there are %d", (unsigned long long)number,
			     LAST_SITE);
	*site = (unsigned)number;
	return true;
}

static bool read_request(struct reader *reader, const json_t *line, const struct head_line *head)
{
	static struct request_line request; /* two stacks: large */

	if (!read_site(reader, line, &request.site) || !read_words(reader, line, &request) ||
	    !read_memory(reader, line, &request) ||
	    !read_stack(reader, line, &request.stack) || !read_origin(reader, line, &request))
		return false;
	model_request(reader->model, head, &request);
	return true;
}

static bool read_count(struct reader *reader, const json_t *line, const struct head_line *head)
{
	uint64_t count;
	unsigned site = 0;

	if (!read_site(reader, line, &site) || !read_number(reader, line, "count", &count))
		return false;
	return model_count(reader->model, head, site, count) ||
	       wrong(reader, "the count of site %u is no more than it was", site);
}

static bool read_lost(struct reader *reader, const json_t *line, const struct head_line *head)
{
	uint64_t lines;

	if (!read_number(reader, line, "lines", &lines))
		return false;
	model_lost(reader->model, head, lines);
	return true;
}

/* Another version has fields, or meanings, that are unknown here. */
static bool is_version(struct reader *reader, const json_t *line)
{
	struct journal *journal = &reader->model->journals[reader->journal];
	uint64_t version;

	if (!read_number(reader, line, "v", &version))
		return false;
	if (version == JOURNAL_VERSION)
		return true;
	if (version < JOURNAL_VERSION)
		return wrong(reader, "version %llu of the journal's format is none",
			     (unsigned long long)version);
	/* Once is enough: the others will be of that version too. */
	if (journal->newer)
		return false;
	journal->newer = true;
	return wrong(reader,
		     "version %llu of the journal's format: this jitmend reads version %d; "
		     "take that of the jitmend that wrote it",
		     (unsigned long long)version, JOURNAL_VERSION);
}

static bool read_object(struct reader *reader, const json_t *line)
{
	struct head_line head;
	const char *event;

	if (!json_is_object(line))
		return wrong(reader, "no object of JSON");
	if (!is_version(reader, line) || !read_string(reader, line, "event", &event) ||
	    !read_head(reader, line, &head))
		return false;
	if (strcmp(event, "start") == 0)
		return read_start(reader, line, &head);
	if (strcmp(event, "request") == 0)
		return read_request(reader, line, &head);
	if (strcmp(event, "count") == 0)
		return read_count(reader, line, &head);
	if (strcmp(event, "lost") == 0)
		return read_lost(reader, line, &head);
	return wrong(reader, "'event' has a value that is not known: '%.40s'", event);
}

static void read_line(struct reader *reader, const char *bytes, size_t length, bool whole)
{
	struct journal *journal = &reader->model->journals[reader->journal];
	json_error_t error;
	json_t *line = json_loadb(bytes, length, 0, &error);

	reader->wrong[0] = '\0';
	if (!line)
		wrong(reader, whole ? "no JSON: %s" : "cut short: %s", error.text);
	else
		read_object(reader, line);
	json_decref(line);
	if (reader->wrong[0])
		problem(reader->model, reader->journal, journal->lines, "%s", reader->wrong);
}

/* ------------------------------------------------------------------- files */

static void show_progress(const struct reader *reader, off_t size, uint64_t bytes)
{
	const struct journal *journal = &reader->model->journals[reader->journal];

	if (journal->lines % 256)
		return;
	if (size > 0)
		progress("reading %.40s: %lu lines, %d %%", journal->name, journal->lines,
			 (int)(100 * bytes / (uint64_t)size));
	else
		progress("reading %.40s: %lu lines", journal->name, journal->lines);
}

/* What is too long is passed over up to its end. */
static void read_lines(struct reader *reader, FILE *file, off_t size)
{
	static char bytes[LONGEST_LINE + 2];
	struct journal *journal = &reader->model->journals[reader->journal];
	uint64_t sum = 0;
	size_t length;
	bool end = false;
	int c;

	while (!end) {
		for (length = 0; (c = getc_unlocked(file)) != EOF && c != '\n'; length++)
			if (length <= LONGEST_LINE)
				bytes[length] = (char)c;
		end = c == EOF;
		if (end && length == 0)
			break;
		journal->lines++;
		sum += length + 1;
		if (length > LONGEST_LINE)
			problem(reader->model, reader->journal, journal->lines,
				"longer than %u bytes", LONGEST_LINE);
		else
			read_line(reader, bytes, length, !end);
		show_progress(reader, size, sum);
	}
}

/* NULL, and said, where it cannot be read. */
static FILE *open_journal(struct reader *reader, struct stat *status)
{
	struct journal *journal = &reader->model->journals[reader->journal];
	bool standard = strcmp(journal->name, "-") == 0;
	FILE *file = standard ? stdin : fopen(journal->name, "re");

	if (!file || fstat(fileno(file), status) != 0) {
		problem(reader->model, reader->journal, 0, "%s", strerror(errno));
		if (file && !standard)
			fclose(file);
		return NULL;
	}
	if (S_ISDIR(status->st_mode)) {
		problem(reader->model, reader->journal, 0, "is a directory: name the journals in it");
		if (!standard)
			fclose(file);
		return NULL;
	}
	return file;
}

static uint32_t add_journal(struct model *model, const char *name)
{
	model->journals = grown(model->journals, model->journal_count, &model->journal_room,
				sizeof *model->journals);
	model->journals[model->journal_count] = (struct journal){ .name = name };
	return model->journal_count++;
}

void journal_read(struct model *model, const char *name)
{
	struct reader reader = { .model = model, .journal = add_journal(model, name) };
	struct stat status;
	FILE *file = open_journal(&reader, &status);

	if (!file)
		return;
	/* Of a pipe nobody knows whose words come through. */
	model->journals[reader.journal].user = S_ISREG(status.st_mode) ? status.st_uid : geteuid();
	read_lines(&reader, file, S_ISREG(status.st_mode) ? status.st_size : 0);
	if (ferror(file))
		problem(model, reader.journal, model->journals[reader.journal].lines + 1, "%s",
			strerror(errno));
	else if (model->journals[reader.journal].lines == 0)
		problem(model, reader.journal, 0, "is empty: nothing was written there");
	if (file != stdin)
		fclose(file);
}
