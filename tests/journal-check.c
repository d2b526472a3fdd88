/* journal-check.c: reads journals and says whether they keep to
 * jitmend-journal(5), to the letter: it is that page as a program, and changes
 * with it.
 *
 *     journal-check [--counts] FILE...
 *
 * Of each file the first line that is wrong is named on standard error. With
 * --counts the requests of each site are printed, a line each: process id, site,
 * call, danger, how often as far as the journal says. Exit status: 0 all is
 * right, 1 something is not, 2 bad usage. What it reads may be anything. */
#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define MOST_FRAMES 64
#define MOST_SITES 1025
#define LONGEST_LINE (1 << 20)
#define MAP_ANONYMOUS_BIT 0x20u
#define PAGE 4096u

/* A site of a process; without a name there was no request line of it. */
struct site {
	const char *call, *danger;
	json_int_t count;
};

/* A process since its last start line. */
struct process {
	struct process *next;
	json_int_t pid;
	bool audit;
	bool lossy; /* lines of it are missing, and it said so */
	struct site sites[MOST_SITES + 1];
};

static char problem[512];
static bool counts; /* are to be printed */

/* Always false, so that a check can end with it. */
__attribute__((format(printf, 1, 2))) static bool wrong(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(problem, sizeof problem, format, arguments);
	va_end(arguments);
	return false;
}

/* ------------------------------------------------------------------- forms */

static bool is_one_of(const json_t *value, const char *const *words)
{
	const char *string = json_string_value(value);

	for (; string && *words; words++)
		if (strcmp(string, *words) == 0)
			return true;
	return false;
}

static bool is_in(const json_t *value, json_int_t least, json_int_t most)
{
	return json_is_integer(value) && json_integer_value(value) >= least &&
	       json_integer_value(value) <= most;
}

/* Numbers are exact in every reader below 2^53. */
static bool is_number(const json_t *value)
{
	return is_in(value, 0, (json_int_t)1 << 53);
}

static bool is_positive(const json_t *value)
{
	return is_number(value) && json_integer_value(value) > 0;
}

static bool is_word32(const json_t *value)
{
	return is_in(value, 0, UINT32_MAX);
}

static bool is_pid(const json_t *value)
{
	return is_in(value, 1, INT32_MAX);
}

static bool is_site(const json_t *value)
{
	return is_in(value, 1, MOST_SITES);
}

static bool is_repeated(const json_t *value)
{
	return is_number(value) && json_integer_value(value) >= 2;
}

static bool is_version(const json_t *value)
{
	return is_in(value, VERSION, VERSION);
}

static bool is_frame_limit(const json_t *value)
{
	return is_in(value, 0, MOST_FRAMES);
}

/* Seconds with six decimals; not before 2020, nor in the far future. */
static bool is_time(const json_t *value)
{
	return json_is_real(value) && json_real_value(value) > 1577836800.0 &&
	       json_real_value(value) < 9007199254.0;
}

static bool is_boolean(const json_t *value)
{
	return json_is_boolean(value);
}

/* Something, and no control character in it. */
static bool is_text(const json_t *value)
{
	const char *c = json_string_value(value);

	if (!c || !*c)
		return false;
	for (; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return true;
}

static bool is_module(const json_t *value)
{
	return json_string_length(value) > 0;
}

static bool is_comm(const json_t *value)
{
	return json_is_string(value) && json_string_length(value) <= 3 * 15; /* U+FFFD has 3 */
}

/* Empty where it cannot be found out. */
static bool is_path(const json_t *value)
{
	const char *string = json_string_value(value);

	return string && (*string == '/' || *string == '\0');
}

static bool is_hex_digits(const char *string, size_t least, size_t most)
{
	size_t length = strspn(string, "0123456789abcdef");

	return string[length] == '\0' && length >= least && length <= most;
}

static bool is_address(const json_t *value)
{
	const char *string = json_string_value(value);

	return string && strncmp(string, "0x", 2) == 0 && is_hex_digits(string + 2, 1, 16) &&
	       (string[2] != '0' || string[3] == '\0');
}

static uint64_t address_of(const json_t *object, const char *name)
{
	return strtoull(json_string_value(json_object_get(object, name)), NULL, 16);
}

static bool is_build_id(const json_t *value)
{
	const char *string = json_string_value(value);

	return string && is_hex_digits(string, 2, 64) && strlen(string) % 2 == 0;
}

static bool is_protection(const json_t *value)
{
	const char *string = json_string_value(value);

	return string && strlen(string) == 3 && (string[0] == 'r' || string[0] == '-') &&
	       (string[1] == 'w' || string[1] == '-') && (string[2] == 'x' || string[2] == '-');
}

static bool is_event(const json_t *value)
{
	return is_one_of(value, (const char *const[]){ "start", "request", "count", "lost", NULL });
}

static bool is_mode(const json_t *value)
{
	return is_one_of(value, (const char *const[]){ "mend", "audit", NULL });
}

static bool is_policy_source(const json_t *value)
{
	return is_one_of(value,
			 (const char *const[]){ "requests", "prctl", "filter", "settings", NULL });
}

static bool is_unwinder(const json_t *value)
{
	return is_one_of(value, (const char *const[]){ "libunwind", "libgcc", "none", NULL });
}

static bool is_call(const json_t *value)
{
	return is_one_of(value, (const char *const[]){ "mmap", "mprotect", "shmat", "execute",
						       NULL });
}

static bool is_danger(const json_t *value)
{
	return is_one_of(value, (const char *const[]){ "devzero", "execheap", "execmod", "execmem",
						       "execstack", NULL });
}

static bool is_answer(const json_t *value)
{
	return is_one_of(value, (const char *const[]){ "refused", "expected", "allowed", "unknown",
						       NULL });
}

static bool is_errno(const json_t *value)
{
	return is_one_of(value, (const char *const[]){ "EACCES", "EPERM", NULL });
}

static bool is_done(const json_t *value)
{
	return is_one_of(value, (const char *const[]){ "passed-on", "not-mended",
						       "mapped-anonymous", "moved", "copied",
						       "shared", "viewed", "emulated", NULL });
}

static bool is_allocator(const json_t *value)
{
	return is_one_of(value, (const char *const[]){
					"mmap", "mremap", "shmat", "sbrk", "brk", "posix_memalign",
					"aligned_alloc", "memalign", "valloc", "pvalloc", "malloc",
					"calloc", "realloc", "reallocarray", NULL });
}

static bool is_policy(const json_t *value)
{
	const char *const words[] = { "execheap", "execmod", "execmem", "execstack", "noexec-dev",
				      "mdwe", "seccomp", "strict", NULL };
	const char *const automatic[] = { "auto", NULL };
	size_t count = json_array_size(value);

	if (count == 1 && is_one_of(json_array_get(value, 0), automatic))
		return true;
	for (size_t i = 0; i < count; i++)
		if (!is_one_of(json_array_get(value, i), words))
			return false;
	return count != 0;
}

/* ----------------------------------------------------------------- objects */

struct field {
	const char *name;
	bool (*is)(const json_t *value);
	bool optional;
};

static bool has_field(const struct field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (strcmp(fields->name, name) == 0)
			return true;
	return false;
}

static bool check_fields(const json_t *object, const struct field *fields)
{
	for (; fields->name; fields++) {
		const json_t *value = json_object_get(object, fields->name);

		if (!value && !fields->optional)
			return wrong("%s is missing", fields->name);
		if (value && !fields->is(value))
			return wrong("%s has a value that it cannot have", fields->name);
	}
	return true;
}

/* The object has the fields of these tables, and no others. */
static bool check_object(json_t *object, const struct field *const *tables)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return wrong("no object");
	for (unsigned i = 0; tables[i]; i++)
		if (!check_fields(object, tables[i]))
			return false;
	json_object_foreach(object, name, value) {
		bool known = false;

		for (unsigned i = 0; tables[i] && !known; i++)
			known = has_field(tables[i], name);
		if (!known)
			return wrong("unknown field '%.60s'", name);
	}
	return true;
}

static bool check_one(json_t *object, const struct field *fields)
{
	return check_object(object, (const struct field *const[]){ fields, NULL });
}

static bool is_object(const json_t *value)
{
	return json_is_object(value);
}

static bool is_array(const json_t *value)
{
	return json_is_array(value);
}

static const struct field every_line[] = {
	{ "v", is_version, false },
	{ "event", is_event, false },
	{ "time", is_time, false },
	{ "pid", is_pid, false },
	{ "tid", is_pid, false },
	{ "comm", is_comm, false },
	{ "message", is_text, false },
	{ NULL, NULL, false },
};

static const struct field start_fields[] = {
	{ "jitmend", is_text, false },
	{ "program", is_path, false },
	{ "kernel", is_text, false },
	{ "machine", is_text, false },
	{ "mode", is_mode, false },
	{ "policy", is_policy, false },
	{ "policy_from", is_policy_source, false },
	{ "mdwe", is_boolean, false },
	{ "unwinder", is_unwinder, false },
	{ "frames", is_frame_limit, false },
	{ "continues", is_boolean, true },
	{ NULL, NULL, false },
};

static const struct field request_fields[] = {
	{ "site", is_site, false },
	{ "call", is_call, false },
	{ "address", is_address, false },
	{ "piece", is_object, false },
	{ "danger", is_danger, false },
	{ "answer", is_answer, false },
	{ "done", is_done, false },
	{ "stack", is_array, false },
	{ "origin", is_object, true },
	{ NULL, NULL, false },
};

static const struct field refused_fields[] = {
	{ "errno", is_errno, false },
	{ NULL, NULL, false },
};

static const struct field mprotect_fields[] = {
	{ "length", is_positive, false },
	{ "protection", is_protection, false },
	{ "pkey", is_word32, true },
	{ NULL, NULL, false },
};

static const struct field execute_fields[] = {
	{ "length", is_positive, false },
	{ "protection", is_protection, false },
	{ NULL, NULL, false },
};

static const struct field mmap_fields[] = {
	{ "length", is_positive, false },
	{ "protection", is_protection, false },
	{ "flags", is_address, false },
	{ NULL, NULL, false },
};

static const struct field mmap_file_fields[] = {
	{ "fd", is_word32, false },
	{ "offset", is_address, false },
	{ NULL, NULL, false },
};

static const struct field shmat_fields[] = {
	{ "shmid", is_word32, false },
	{ "flags", is_address, false },
	{ NULL, NULL, false },
};

static const struct field no_fields[] = { { NULL, NULL, false } };

static const struct field piece_fields[] = {
	{ "address", is_address, false },
	{ "length", is_positive, false },
	{ NULL, NULL, false },
};

static const struct field segment_fields[] = {
	{ "address", is_address, false },
	{ NULL, NULL, false },
};

static const struct field origin_fields[] = {
	{ "call", is_allocator, false },
	{ "address", is_address, false },
	{ "length", is_positive, false },
	{ "stack", is_array, false },
	{ NULL, NULL, false },
};

static const struct field place_fields[] = {
	{ "module", is_module, false },
	{ "build_id", is_build_id, true },
	{ "offset", is_address, false },
	{ NULL, NULL, false },
};

static const struct field unknown_fields[] = {
	{ "unknown", is_address, false },
	{ NULL, NULL, false },
};

static const struct field more_fields[] = {
	{ "more", is_positive, false },
	{ NULL, NULL, false },
};

static const struct field count_fields[] = {
	{ "site", is_site, false },
	{ "count", is_repeated, false },
	{ NULL, NULL, false },
};

static const struct field lost_fields[] = {
	{ "lines", is_positive, false },
	{ NULL, NULL, false },
};

/* ------------------------------------------------------------------- lines */

static const char *word(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static json_int_t number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static bool is_word(const json_t *object, const char *name, const char *expected)
{
	const char *value = word(object, name);

	return value && strcmp(value, expected) == 0;
}

/* What found no room is counted in the last element alone. */
static bool check_frame(json_t *frame, bool last)
{
	if (json_object_get(frame, "unknown"))
		return check_one(frame, unknown_fields);
	if (last && json_object_get(frame, "more"))
		return check_one(frame, more_fields);
	return check_one(frame, place_fields);
}

static bool check_stack(json_t *stack, const char *of)
{
	size_t count = json_array_size(stack);
	char inner[sizeof problem - 64];

	if (count > MOST_FRAMES)
		return wrong("%s has %zu frames", of, count);
	for (size_t i = 0; i < count; i++) {
		if (check_frame(json_array_get(stack, i), i + 1 == count))
			continue;
		memcpy(inner, problem, sizeof inner);
		inner[sizeof inner - 1] = '\0';
		return wrong("%s, frame %zu: %s", of, i, inner);
	}
	return true;
}

static const struct field *fields_of_call(const json_t *line)
{
	if (is_word(line, "call", "mprotect"))
		return mprotect_fields;
	if (is_word(line, "call", "execute"))
		return execute_fields;
	return is_word(line, "call", "mmap") ? mmap_fields : shmat_fields;
}

static const struct field *fields_of_file(const json_t *line)
{
	const json_t *flags = json_object_get(line, "flags");

	if (!is_word(line, "call", "mmap") || !is_address(flags) ||
	    address_of(line, "flags") & MAP_ANONYMOUS_BIT)
		return no_fields;
	return mmap_file_fields;
}

static bool check_piece(const json_t *line)
{
	json_t *piece = json_object_get(line, "piece");
	uint64_t from, start;

	if (!check_one(piece, is_word(line, "call", "shmat") ? segment_fields : piece_fields))
		return false;
	if (!is_word(line, "call", "mprotect"))
		return true;
	from = address_of(line, "address");
	start = address_of(piece, "address");
	if (start < from - from % PAGE || (uint64_t)number(piece, "length") >
	    ((uint64_t)number(line, "length") + from % PAGE + PAGE - 1) / PAGE * PAGE - (start - from))
		return wrong("the piece reaches out of the request");
	return true;
}

static bool check_origin(const json_t *line)
{
	json_t *origin = json_object_get(line, "origin");
	uint64_t start, end;

	if (!origin)
		return true;
	if (!check_one(origin, origin_fields) ||
	    !check_stack(json_object_get(origin, "stack"), "the origin's stack"))
		return false;
	start = address_of(json_object_get(line, "piece"), "address");
	end = start + (uint64_t)number(json_object_get(line, "piece"), "length");
	if (end == start) /* a segment's length is not told */
		end++;
	if (address_of(origin, "address") >= end ||
	    address_of(origin, "address") + (uint64_t)number(origin, "length") <= start)
		return wrong("the origin and the piece have nothing in common");
	return true;
}

/* What was answered, and what was done upon it. */
static bool check_done(const json_t *line, const struct process *process)
{
	bool passed = is_word(line, "done", "passed-on");
	bool not_mended = is_word(line, "done", "not-mended");

	if (passed != is_word(line, "answer", "allowed"))
		return wrong("'%s' does not go with the answer '%s'", word(line, "done"),
			     word(line, "answer"));
	if (process->audit && !passed && !not_mended)
		return wrong("something was changed in audit mode");
	return true;
}

static void print_counts(const struct process *process)
{
	const struct site *site;

	for (int i = 1; counts && i <= MOST_SITES; i++) {
		site = &process->sites[i];
		if (site->count)
			printf("%lld %d %s %s %lld\n", (long long)process->pid, i,
			       site->call ? site->call : "?", site->danger ? site->danger : "?",
			       (long long)site->count);
	}
}

static bool check_start(json_t *line, struct process *process)
{
	if (!check_object(line, (const struct field *const[]){ every_line, start_fields, NULL }))
		return false;
	if (is_word(line, "policy_from", "settings") ==
	    (strcmp(json_string_value(json_array_get(json_object_get(line, "policy"), 0)),
		    "auto") == 0))
		return wrong("policy_from contradicts policy");
	if (is_word(line, "mode", "mend") && !is_word(line, "policy_from", "settings") &&
	    is_word(line, "policy_from", "prctl") != json_is_true(json_object_get(line, "mdwe")))
		return wrong("policy_from contradicts mdwe");
	process->audit = is_word(line, "mode", "audit");
	/* Its requests may be in a file that was taken away. */
	process->lossy = json_is_true(json_object_get(line, "continues"));
	print_counts(process);
	memset(process->sites, 0, sizeof process->sites);
	return true;
}

/* A literal, for a name that outlives its line. */
static const char *kept(const json_t *value)
{
	static const char *const words[] = { "mmap",    "mprotect", "shmat",	 "execute", "devzero",
					     "execheap", "execmod", "execmem",  "execstack", NULL };

	for (unsigned i = 0; words[i]; i++)
		if (strcmp(json_string_value(value), words[i]) == 0)
			return words[i];
	return "?";
}

static bool check_request(json_t *line, struct process *process)
{
	const struct field *tables[] = {
		every_line,
		request_fields,
		fields_of_call(line),
		fields_of_file(line),
		is_word(line, "answer", "refused") ? refused_fields : no_fields,
		NULL,
	};
	struct site *site;

	if (!check_object(line, tables) || !check_piece(line) ||
	    !check_stack(json_object_get(line, "stack"), "the stack") || !check_origin(line) ||
	    !check_done(line, process))
		return false;
	site = &process->sites[number(line, "site")];
	if (site->call && number(line, "site") != MOST_SITES)
		return wrong("site %lld has its request twice", (long long)number(line, "site"));
	site->call = kept(json_object_get(line, "call"));
	site->danger = kept(json_object_get(line, "danger"));
	site->count++;
	return true;
}

static bool check_count(json_t *line, struct process *process)
{
	struct site *site;

	if (!check_object(line, (const struct field *const[]){ every_line, count_fields, NULL }))
		return false;
	site = &process->sites[number(line, "site")];
	if (!site->call && !process->lossy)
		return wrong("site %lld was counted without a request",
			     (long long)number(line, "site"));
	if (number(line, "count") <= site->count)
		return wrong("the count of site %lld went from %lld to %lld",
			     (long long)number(line, "site"), (long long)site->count,
			     (long long)number(line, "count"));
	site->count = number(line, "count");
	return true;
}

static bool check_lost(json_t *line, struct process *process)
{
	process->lossy = true;
	return check_object(line, (const struct field *const[]){ every_line, lost_fields, NULL });
}

static struct process *process_of(struct process **all, json_int_t pid, bool make)
{
	struct process *process;

	for (process = *all; process; process = process->next)
		if (process->pid == pid)
			return process;
	if (!make)
		return NULL;
	process = calloc(1, sizeof *process);
	if (!process) {
		fprintf(stderr, "journal-check: no memory\n");
		exit(2);
	}
	process->pid = pid;
	process->next = *all;
	*all = process;
	return process;
}

static bool check_object_of_line(json_t *line, struct process **all)
{
	struct process *process;
	bool start;

	if (!json_is_object(line))
		return wrong("no object");
	/* Another version has fields that are unknown here. */
	if (!is_version(json_object_get(line, "v")))
		return wrong("v is not %d", VERSION);
	if (!check_fields(line, every_line))
		return false;
	start = is_word(line, "event", "start");
	process = process_of(all, number(line, "pid"), start);
	if (!process)
		return wrong("process %lld has no start line", (long long)number(line, "pid"));
	if (start)
		return check_start(line, process);
	if (is_word(line, "event", "request"))
		return check_request(line, process);
	return is_word(line, "event", "count") ? check_count(line, process) :
						 check_lost(line, process);
}

static bool check_line(const char *bytes, size_t length, struct process **all)
{
	json_error_t error;
	json_t *line;
	bool right;

	if (length > LONGEST_LINE)
		return wrong("longer than %d bytes", LONGEST_LINE);
	if (length == 0 || bytes[length - 1] != '\n')
		return wrong("not ended by a newline");
	line = json_loadb(bytes, length - 1, JSON_REJECT_DUPLICATES, &error);
	if (!line)
		return wrong("no JSON: %s, at byte %d", error.text, error.position);
	right = check_object_of_line(line, all);
	json_decref(line);
	return right;
}

/* ------------------------------------------------------------------- files */

static bool check_lines(FILE *file, const char *name, struct process **all)
{
	char *bytes = NULL;
	size_t size = 0;
	unsigned long lines = 0;
	ssize_t length;
	bool right = true;

	while (right && (length = getline(&bytes, &size, file)) > 0) {
		lines++;
		right = check_line(bytes, (size_t)length, all);
	}
	free(bytes);
	if (!right)
		fprintf(stderr, "%s:%lu: %s\n", name, lines, problem);
	else if (ferror(file))
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
	return right && !ferror(file);
}

static bool check_file(const char *name)
{
	struct process *all = NULL, *next;
	FILE *file = fopen(name, "re");
	bool right;

	if (!file) {
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		return false;
	}
	right = check_lines(file, name, &all);
	fclose(file);
	for (; all; all = next) {
		next = all->next;
		print_counts(all);
		free(all);
	}
	return right;
}

int main(int argc, char **argv)
{
	int first = 1, status = 0;

	counts = argc > 1 && strcmp(argv[1], "--counts") == 0;
	first += counts;
	if (first == argc) {
		fprintf(stderr, "usage: journal-check [--counts] FILE...\n");
		return 2;
	}
	for (int i = first; i < argc; i++)
		if (!check_file(argv[i]))
			status = 1;
	return status;
}
