/* converter.c: turns binary records into lines of comma-separated text, with a
 * parser that it compiles from a data dictionary when it is started.
 *
 *	converter --allocator=NAME DICTIONARY [RECORDS]
 *
 * Only the main thread generates code: while the other threads convert already.
 * What goes wrong ends the program with status 1 and one line that says what,
 * as programs of this kind do when the system refuses them executable memory. */
#include "converter.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS_MAX 64
#define SCRATCH_BYTE 0xa5 /* no instruction of ours: int3 would be 0xcc */

struct options {
	const struct allocator *allocator;
	unsigned int rounds;
	unsigned int workers;
	bool hexadecimal;
	const char *dictionary;
	const char *records; /* NULL: standard input */
};

/* The input, all of it in memory. */
struct records {
	unsigned char *start;
	size_t length; /* bytes */
	size_t count;
};

/* One thread's share: its own parser, its own records, its own text. */
struct worker {
	pthread_t thread;
	struct code_memory memory;
	const struct dictionary *dictionary;
	const unsigned char *first;
	size_t count;
	struct text text;
};

void fail(const char *what)
{
	fprintf(stderr, "converter: %s: %s\n", what, strerror(errno));
	exit(1);
}

void refuse(const char *format, ...)
{
	va_list arguments;

	fputs("converter: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

/* ---- input */

static void read_all(struct records *records, FILE *file, const char *path)
{
	size_t capacity = 0, got;

	do {
		if (records->length == capacity) {
			capacity = capacity ? 2 * capacity : 4096;
			records->start = realloc(records->start, capacity);
			if (!records->start)
				fail("realloc");
		}
		got = fread(records->start + records->length, 1,
			    capacity - records->length, file);
		records->length += got;
	} while (got);
	if (ferror(file))
		fail(path);
}

static int hexadecimal_digit(unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Turns a hexadecimal dump, blanks and lines as one likes, into what it is a
 * dump of: in place, since two digits make one byte. */
static void undump(struct records *records, const char *path)
{
	size_t bytes = 0, digits = 0;
	int digit, high = 0;

	for (size_t i = 0; i < records->length; i++) {
		if (strchr(" \t\n", records->start[i]))
			continue;
		digit = hexadecimal_digit(records->start[i]);
		if (digit < 0)
			refuse("%s: no hexadecimal dump", path);
		if (digits++ % 2)
			records->start[bytes++] = (unsigned char)(high << 4 | digit);
		else
			high = digit;
	}
	if (digits % 2)
		refuse("%s: half a byte at the end", path);
	records->length = bytes;
}

static void read_records(struct records *records, const struct options *options,
			 const struct dictionary *dictionary)
{
	const char *path = options->records ? options->records : "standard input";
	FILE *file = options->records ? fopen(options->records, "rb") : stdin;

	*records = (struct records){0};
	if (!file)
		fail(path);
	read_all(records, file, path);
	if (file != stdin)
		fclose(file);
	if (options->hexadecimal)
		undump(records, path);
	records->count = records->length / dictionary->record_length;
	if (records->length % dictionary->record_length)
		refuse("%s: %zu bytes left over after record %zu", path,
		       records->length % dictionary->record_length, records->count);
}

/* ---- code */

/* The memory serves as plain data for a while: it must keep what it is given. */
static void use_as_scratch(struct code_memory *memory)
{
	memset(memory->start, SCRATCH_BYTE, memory->length);
	for (size_t i = 0; i < memory->length; i++)
		if (memory->start[i] != SCRATCH_BYTE)
			refuse("byte %zu of the code memory lost its value", i);
}

/* The first round takes new memory; after it rounds by turns rewrite the code
 * where it is, and give its memory back and take some anew. */
static void prepare_code(struct worker *worker, const struct options *options,
			 unsigned int round)
{
	struct code_memory *memory = &worker->memory;
	size_t length = generate_parser(worker->dictionary, NULL, 0);

	if (round % 2 == 1) {
		make_writable(memory);
		use_as_scratch(memory);
	} else {
		if (round)
			release_code(memory);
		allocate_code(memory, options->allocator, length);
	}
	generate_parser(worker->dictionary, memory->start, memory->length);
	__builtin___clear_cache((char *)memory->start, (char *)memory->start + memory->length);
	make_executable(memory);
}

static void *convert(void *argument)
{
	struct worker *worker = argument;
	parser *parse = (parser *)(uintptr_t)worker->memory.start;
	const unsigned char *record = worker->first;

	for (size_t i = 0; i < worker->count; i++) {
		parse(record, &worker->text);
		record += worker->dictionary->record_length;
	}
	return NULL;
}

static void start(struct worker *worker)
{
	int error = pthread_create(&worker->thread, NULL, convert, worker);

	if (!error)
		return;
	errno = error;
	fail("pthread_create");
}

/* ---- rounds */

static void share_out(struct worker *workers, unsigned int count,
		      const struct dictionary *dictionary, const struct records *records)
{
	size_t done = 0;

	for (unsigned int i = 0; i < count; i++) {
		workers[i].dictionary = dictionary;
		workers[i].first = records->start + done * dictionary->record_length;
		workers[i].count = (records->count - done) / (count - i);
		done += workers[i].count;
	}
}

static void run_round(struct worker *workers, const struct options *options,
		      unsigned int round)
{
	for (unsigned int i = 0; i < options->workers; i++) {
		text_begin(&workers[i].text);
		prepare_code(&workers[i], options, round);
		if (options->workers > 1)
			start(&workers[i]);
		else
			convert(&workers[i]);
	}
	for (unsigned int i = 0; options->workers > 1 && i < options->workers; i++)
		pthread_join(workers[i].thread, NULL);
}

static void print_header(const struct dictionary *dictionary)
{
	bool first = true;

	for (size_t i = 0; i < dictionary->count; i++) {
		if (dictionary->fields[i].kind == KIND_FILLER)
			continue;
		printf("%s%s", first ? "" : ",", dictionary->fields[i].name);
		first = false;
	}
	putchar('\n');
}

static void print_text(struct worker *workers, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		fwrite(workers[i].text.start, 1, workers[i].text.length, stdout);
}

/* Every round reads the same records, so it must say the same. */
static void compare_round(struct worker *worker, const struct text *earlier, unsigned int round)
{
	if (worker->text.length != earlier->length ||
	    memcmp(worker->text.start, earlier->start, earlier->length) != 0)
		refuse("round %u says something else than the one before", round + 1);
}

static void run(const struct options *options, const struct dictionary *dictionary,
		const struct records *records)
{
	struct worker workers[WORKERS_MAX] = {0};
	struct text earlier[WORKERS_MAX];

	share_out(workers, options->workers, dictionary, records);
	for (unsigned int round = 0; round < options->rounds; round++) {
		for (unsigned int i = 0; i < options->workers; i++)
			earlier[i] = workers[i].text;
		run_round(workers, options, round);
		for (unsigned int i = 0; round && i < options->workers; i++) {
			compare_round(&workers[i], &earlier[i], round);
			text_end(&earlier[i]);
		}
	}
	print_header(dictionary);
	print_text(workers, options->workers);
	for (unsigned int i = 0; i < options->workers; i++) {
		release_code(&workers[i].memory);
		text_end(&workers[i].text);
	}
}

/* ---- options */

static void print_help(void)
{
	printf("Usage: converter [OPTION...] DICTIONARY [RECORDS]\n"
	       "\n"
	       "Prints binary records as comma-separated text. DICTIONARY says what\n"
	       "they consist of; they come from the file RECORDS or standard input.\n"
	       "\n"
	       "  --allocator=NAME  where the code lives (default: anonymous), one of\n"
	       "                    %s\n"
	       "  --hex             the records come as a hexadecimal dump\n"
	       "  --repeat=N        convert N times, with code generated anew\n"
	       "  --threads=N       convert in N threads\n"
	       "  --help            print this\n",
	       allocator_names());
}

static unsigned int read_number(const char *word, unsigned int most)
{
	char *end;
	unsigned long number = strtoul(word, &end, 10);

	if (*word < '0' || *word > '9' || *end || number < 1 || number > most)
		refuse("'%s' is no number from 1 to %u", word, most);
	return (unsigned int)number;
}

static void read_options(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{"allocator", required_argument, NULL, 'a'},
		{"hex", no_argument, NULL, 'x'},
		{"repeat", required_argument, NULL, 'r'},
		{"threads", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	*options = (struct options){
		.allocator = find_allocator("anonymous"),
		.rounds = 1,
		.workers = 1,
	};
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'a':
			options->allocator = find_allocator(optarg);
			if (!options->allocator)
				refuse("unknown allocator '%s'", optarg);
			break;
		case 'x':
			options->hexadecimal = true;
			break;
		case 'r':
			options->rounds = read_number(optarg, 1000000);
			break;
		case 't':
			options->workers = read_number(optarg, WORKERS_MAX);
			break;
		case 'h':
			print_help();
			exit(0);
		default:
			exit(1);
		}
	}
	if (optind == argc)
		refuse("no dictionary given");
	options->dictionary = argv[optind++];
	if (optind < argc)
		options->records = argv[optind++];
	if (optind < argc)
		refuse("what is '%s' for?", argv[optind]);
}

int main(int argc, char **argv)
{
	struct options options;
	struct dictionary dictionary;
	struct records records;

	read_options(&options, argc, argv);
	read_dictionary(&dictionary, options.dictionary);
	read_records(&records, &options, &dictionary);
	run(&options, &dictionary, &records);
	free(records.start);
	free(dictionary.fields);
	if (fflush(stdout) || ferror(stdout))
		fail("standard output");
	return 0;
}
