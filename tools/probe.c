/* probe.c: jitmend-probe, the helper behind `jitmend probe': what is refused here?
 *
 *   jitmend-probe [--preload=DIR] [OPTION...] [-- PROGRAM [ARG...]]
 *
 * --preload is the wrapper's: where libjitmend.so lies. See probe.h for the parts,
 * jitmend-probe(1) for the rest. */
#include <config.h>

#include "probe.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "codefile.h"
#include "text.h"

struct wishes {
	const char *preload;
	const char *colour;
	bool json;
	bool quiet;
	char **argv; /* the program's; NULL: none */
};

void probe_fail(enum probe_status status, const char *format, ...)
{
	char message[2048], line[4 * sizeof message];
	struct text text = text_in(line, sizeof line);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	/* Names of files are anybody's: one line it stays. */
	text_add(&text, "jitmend: probe: ");
	text_add_quoted(&text, message, sizeof message);
	fwrite(line, 1, text_end_line(&text), stderr);
	exit((int)status);
}

static _Noreturn void help(void)
{
	fputs("Usage: jitmend probe [OPTION...] [-- PROGRAM [ARG...]]\n"
	      "\n"
	      "Says what kinds of executable memory are refused here, in this very context, how\n"
	      "that is known, and what jitmend run would do about it. PROGRAM is not run, only\n"
	      "looked at.\n"
	      "\n"
	      "  --quiet-audit    ask only what leaves no record in an audit log\n"
	      "  --format=FORMAT  text (the default) or json\n"
	      "  --color=WHEN     auto (the default), always or never\n"
	      "  --help           show this\n"
	      "\n"
	      "Exit status: 0 nothing is refused; 1 something is; 2 it could not be found out;\n"
	      "125 bad usage, or it cannot write; 126 PROGRAM cannot be executed; 127 it is\n"
	      "not found.\n",
	      stdout);
	if (fflush(stdout) != 0)
		probe_fail(PROBE_OURS, "cannot write: %s", strerror(errno));
	exit(0);
}

static void check_word(const char *option, const char *value, const char *const *words)
{
	char known[64] = "";

	for (const char *const *word = words; *word; word++) {
		if (strcmp(*word, value) == 0)
			return;
		if (word != words)
			strcat(known, word[1] ? ", " : " and ");
		strcat(known, *word);
	}
	probe_fail(PROBE_OURS, "%s: '%s' is none of %s", option, value, known);
}

static struct wishes read_options(int argc, char **argv)
{
	static const char *const formats[] = { "text", "json", NULL };
	static const char *const whens[] = { "auto", "always", "never", NULL };
	static const struct option options[] = {
		{ "preload", required_argument, NULL, 'p' },
		{ "quiet-audit", no_argument, NULL, 'q' },
		{ "format", required_argument, NULL, 'f' },
		{ "color", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct wishes wishes = { .colour = "auto" };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		switch (option) {
		case 'p': wishes.preload = optarg; break;
		case 'q': wishes.quiet = true; break;
		case 'f':
			check_word("--format", optarg, formats);
			wishes.json = strcmp(optarg, "json") == 0;
			break;
		case 'c':
			check_word("--color", optarg, whens);
			wishes.colour = optarg;
			break;
		case 'h': help();
		case ':':
			probe_fail(PROBE_OURS, "option '%s' needs a value; see jitmend probe --help",
				   argv[optind - 1]);
		default:
			probe_fail(PROBE_OURS, optopt && strchr(argv[optind - 1], '=')
					? "option '%s' takes no value; see jitmend probe --help"
					: "unknown option '%s'; see jitmend probe --help",
				   argv[optind - 1]);
		}
	}
	if (argv[optind])
		wishes.argv = argv + optind;
	return wishes;
}

/* Of a pipe or a file, COLUMNS alone says how wide it is. */
static unsigned width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (columns && atoi(columns) > 0)
		return (unsigned)atoi(columns);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		return size.ws_col;
	return 0;
}

static bool in_colour(const char *when)
{
	const char *never = getenv("NO_COLOR"), *terminal = getenv("TERM");

	if (strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	return isatty(STDOUT_FILENO) && !(never && *never) &&
	       !(terminal && strcmp(terminal, "dumb") == 0);
}

/* Quietly, nothing is tried as long as somebody is there who would write it down. */
static void gather(struct probe_report *report)
{
	const struct probe_result untried = { .rung = -1 };
	bool silent;

	probe_look(&report->context);
	silent = report->quiet && report->context.auditor;
	for (unsigned i = 0; i < probe_request_count; i++)
		report->results[i] = silent ? untried : probe_try(&probe_requests[i]);
	for (unsigned i = 0; codefile_kind(i) && i < PROBE_MOST_BACKINGS; i++, report->backing_count++)
		report->backings[i] = silent ? untried : probe_try_backing(i);
}

int main(int argc, char **argv)
{
	struct wishes wishes = read_options(argc, argv);
	static struct probe_report report;
	static struct probe_program program;

	/* Its children's ends are its own to see. */
	signal(SIGCHLD, SIG_DFL);
	report.quiet = wishes.quiet;
	gather(&report);
	probe_judge(&report);
	if (wishes.argv)
		probe_program(wishes.argv, wishes.preload, wishes.quiet, &report.context, &program);
	if (wishes.json) {
		probe_print_json(&report, wishes.argv ? &program : NULL);
	} else {
		struct probe_style style = { in_colour(wishes.colour), width() };

		probe_print_text(&report, wishes.argv ? &program : NULL, &style);
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		probe_fail(PROBE_OURS, "cannot write: %s", strerror(errno));
	return (int)probe_exit_status(&report);
}
