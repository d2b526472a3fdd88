/* main.c: jitmend-report, the command `jitmend report'. See jitmend-report(1).
 *
 * Journals are read one after the other into one model (journal.c, model.c);
 * names are looked up for it (symbols.c, perf-map.c); one file writes each
 * format. What is wrong with a journal is said, and the rest reported. */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "print.h"
#include "report.h"

static const char *const format_names[] = {
	[FORMAT_TEXT] = "text", [FORMAT_JSON] = "json", [FORMAT_FOLDED] = "folded",
	[FORMAT_SARIF] = "sarif", [FORMAT_HTML] = "html",
};

void fail(const char *format, ...)
{
	char line[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	progress_end();
	fputs("jitmend: report: ", stderr);
	print_safe(stderr, line);
	fputs("\n", stderr);
	exit(STATUS_OURS);
}

void *grown(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 16;
	array = realloc(array, *room * size);
	if (!array)
		fail("no memory");
	return array;
}

char *duplicate(const char *string)
{
	char *copy = strdup(string);

	if (!copy)
		fail("no memory");
	return copy;
}

/* ----------------------------------------------------------------- options */

static _Noreturn void help(void)
{
	fputs("Usage: jitmend report [OPTION...] JOURNAL...\n"
	      "\n"
	      "Tells from journals (the log files of jitmend run) which lines of a program\n"
	      "asked for what, what the policy answered, what was done, and what to change. -\n"
	      "is standard input. Several journals are taken together.\n"
	      "\n"
	      "  --format=FORMAT     text (the default), json, folded (for flame graphs),\n"
	      "                      sarif (2.1.0, for code scanning), html (one file)\n"
	      "  --output=FILE       write there, not to standard output\n"
	      "  --color=WHEN        auto (the default), always or never\n"
	      "  --top=N             the N most frequent call sites only\n"
	      "  --source-root=DIR   name source files below DIR relative to it\n"
	      "  --debug-dir=DIRS    where debug files are, with colons between (as libdw:\n"
	      "                      .debug and /usr/lib/debug)\n"
	      "  --perf-map-dir=DIR  where perf-PID.map files are, for names of generated\n"
	      "                      code (/tmp)\n"
	      "  --no-symbols        open no file that a journal names\n"
	      "  --help              show this\n"
	      "\n"
	      "Exit status: 0; 2 where a journal or a line of one could not be read, the rest\n"
	      "being reported all the same; 125 where jitmend report was called wrongly or\n"
	      "cannot write.\n",
	      stdout);
	if (fflush(stdout) != 0)
		fail("cannot write the help text: %s", strerror(errno));
	exit(STATUS_FINE);
}

static enum format read_format(const char *word)
{
	for (size_t i = 0; i < sizeof format_names / sizeof *format_names; i++)
		if (strcmp(word, format_names[i]) == 0)
			return (enum format)i;
	fail("--format: '%s' is none of text, json, folded, sarif and html", word);
}

static size_t read_top(const char *word)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(word, &end, 10);
	if (*word < '0' || *word > '9' || *end || errno || number == 0)
		fail("--top: '%s' is no number of call sites", word);
	return number;
}

enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };

static enum when read_when(const char *word)
{
	if (strcmp(word, "auto") == 0)
		return WHEN_AUTO;
	if (strcmp(word, "always") == 0)
		return WHEN_ALWAYS;
	if (strcmp(word, "never") == 0)
		return WHEN_NEVER;
	fail("--color: '%s' is none of auto, always and never", word);
}

/* As https://no-color.org/ has it: set, and not empty. */
static bool is_colored(enum when when, const char *output)
{
	const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");

	if (when != WHEN_AUTO)
		return when == WHEN_ALWAYS;
	return !output && !(no_color && *no_color) && isatty(STDOUT_FILENO) && terminal &&
	       strcmp(terminal, "dumb") != 0;
}

static void use_option(struct options *options, enum when *color, int option)
{
	switch (option) {
	case 'f': options->format = read_format(optarg); break;
	case 'o': options->output = optarg; break;
	case 'c': *color = read_when(optarg); break;
	case 't': options->top = read_top(optarg); break;
	case 'r': options->source_root = optarg; break;
	case 'd': options->debug_dir = optarg; break;
	case 'p': options->perf_map_dir = optarg; break;
	case 'n': options->symbols = false; break;
	case 'h': help();
	default: break;
	}
}

static const struct option long_options[] = {
	{ "format", required_argument, NULL, 'f' },
	{ "output", required_argument, NULL, 'o' },
	{ "color", required_argument, NULL, 'c' },
	{ "top", required_argument, NULL, 't' },
	{ "source-root", required_argument, NULL, 'r' },
	{ "debug-dir", required_argument, NULL, 'd' },
	{ "perf-map-dir", required_argument, NULL, 'p' },
	{ "no-symbols", no_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static bool is_option(int value)
{
	for (const struct option *option = long_options; option->name; option++)
		if (option->val == value)
			return true;
	return false;
}

static struct options read_options(int argc, char **argv)
{
	struct options options = { .symbols = true, .top = SIZE_MAX, .perf_map_dir = "/tmp" };
	enum when color = WHEN_AUTO;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		const char *word = argv[optind - 1];

		if (option == ':')
			fail("option '%s' needs a value; see jitmend report --help", word);
		if (option == '?' && is_option(optopt))
			fail("option '%s' takes no value; see jitmend report --help", word);
		if (option == '?')
			fail("unknown option '%s'; see jitmend report --help", word);
		use_option(&options, &color, option);
	}
	options.journals = argv + optind;
	if (!*options.journals)
		fail("no journal given; see jitmend report --help");
	options.color = is_colored(color, options.output);
	return options;
}

/* -------------------------------------------------------------------- work */

static void say_problems(const struct model *model)
{
	for (uint32_t i = 0; i < model->problem_count; i++) {
		const struct problem *entry = &model->problems[i];

		fputs("jitmend: report: ", stderr);
		print_safe(stderr, journal_name(entry->journal));
		if (entry->line)
			fprintf(stderr, ":%lu", entry->line);
		fputs(": ", stderr);
		print_safe(stderr, entry->text);
		fputs("\n", stderr);
	}
	if (model->broken > model->problem_count)
		fprintf(stderr, "jitmend: report: and %lu more like these\n",
			model->broken - model->problem_count);
}

static bool is_same_file(const char *one, const char *other)
{
	struct stat first, second;

	return stat(one, &first) == 0 && stat(other, &second) == 0 && S_ISREG(first.st_mode) &&
	       first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* Nothing is written over what it was read from. */
static FILE *open_output(const char *name, char **journals)
{
	FILE *out;

	for (; name && *journals; journals++)
		if (is_same_file(name, *journals))
			fail("--output: %s: is the journal itself", name);
	out = name ? fopen(name, "we") : stdout;
	if (!out)
		fail("--output: %s: %s", name, strerror(errno));
	return out;
}

static void write_report(const struct model *model, const struct options *options)
{
	static void (*const formats[])(FILE *, const struct model *, const struct options *) = {
		[FORMAT_TEXT] = format_text,     [FORMAT_JSON] = format_json,
		[FORMAT_FOLDED] = format_folded, [FORMAT_SARIF] = format_sarif,
		[FORMAT_HTML] = format_html,
	};
	FILE *out = open_output(options->output, options->journals);
	const char *name = options->output ? options->output : "standard output";

	formats[options->format](out, model, options);
	if (fflush(out) != 0 || ferror(out))
		fail("%s: %s", name, strerror(errno));
	if (out != stdout && fclose(out) != 0)
		fail("%s: %s", name, strerror(errno));
}

int main(int argc, char **argv)
{
	static struct model model;
	struct options options = read_options(argc, argv);

	for (char **name = options.journals; *name; name++)
		journal_read(&model, *name);
	model_sort(&model);
	if (options.symbols) {
		symbols_find(&model, &options);
		perf_maps_read(&model, options.perf_map_dir);
	}
	progress_end();
	say_problems(&model);
	write_report(&model, &options);
	return model.broken ? STATUS_BAD_INPUT : STATUS_FINE;
}
