/* scan-options.c: the words on jitmend-scan's command line. See scan.h. */
#include <config.h>

#include "scan.h"

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOBS_MAX = 256 };

static _Noreturn void help(void)
{
	fputs("Usage: jitmend scan [OPTION...] FILE-or-FOLDER...\n"
	      "\n"
	      "Tells what ELF files will ask for before they are run, and whether jitmend can\n"
	      "help. Folders are gone through with all that is below them.\n"
	      "\n"
	      "  --only=LIST      look for these findings alone, separated by commas (below)\n"
	      "  --libraries      look at the libraries that a file needs, too\n"
	      "  --all            tell of each ELF file, not only of those with a finding\n"
	      "  --format=FORMAT  text (the default), json, or sarif (SARIF 2.1.0)\n"
	      "  --color=WHEN     auto (the default), always or never; NO_COLOR is never\n"
	      "  --jobs=N         with so many threads (as there are processors)\n"
	      "  --quiet          no progress bar, no summary\n"
	      "  --help           show this\n"
	      "\n"
	      "Findings, and who may refuse them:\n",
	      stdout);
	for (int kind = 0; kind < KINDS; kind++) {
		const struct kind_words *words = &kind_words[kind];

		if (words->policies)
			printf("  %-13s  %s\n  %-13s  (%s)\n", words->name, words->title, "",
			       words->policies);
		else
			printf("  %-13s  %s%s\n", words->name, words->title,
			       words->level == LEVEL_ERROR ? " (jitmend cannot help)" : "");
	}
	fputs("\nExit status: 0 nothing was found that counts, 1 something was, 2 a file could\n"
	      "not be read, 125 bad usage. See jitmend-scan(1).\n",
	      stdout);
	if (fflush(stdout) != 0)
		scan_fail("cannot write the help text");
	exit(0);
}

static unsigned kind_bit(const char *word, size_t length)
{
	for (int kind = 0; kind < KINDS; kind++)
		if (strlen(kind_words[kind].name) == length &&
		    memcmp(kind_words[kind].name, word, length) == 0)
			return 1U << kind;
	scan_fail("--only: there is no finding '%.*s'; see jitmend scan --help", (int)length,
		  word);
}

static unsigned parse_only(const char *list)
{
	unsigned only = 0;

	for (const char *end;; list = end + 1) {
		end = strchrnul(list, ',');
		only |= kind_bit(list, (size_t)(end - list));
		if (*end == '\0')
			break;
	}
	if (only >> KIND_RAW_SYSCALL & 1 && !code_can_be_read)
		scan_fail("--only: raw-syscall needs a build with Zydis, which this is not");
	return only;
}

static enum format parse_format(const char *word)
{
	if (strcmp(word, "text") == 0)
		return FORMAT_TEXT;
	if (strcmp(word, "json") == 0)
		return FORMAT_JSON;
	if (strcmp(word, "sarif") == 0)
		return FORMAT_SARIF;
	scan_fail("--format: '%s' is none of text, json and sarif", word);
}

static bool parse_colour(const char *word)
{
	const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");

	if (strcmp(word, "always") == 0)
		return true;
	if (strcmp(word, "never") == 0)
		return false;
	if (strcmp(word, "auto") != 0)
		scan_fail("--color: '%s' is none of auto, always and never", word);
	if (none && *none)
		return false;
	return isatty(STDOUT_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

static int parse_jobs(const char *word)
{
	char *end;
	long jobs = strtol(word, &end, 10);

	if (end == word || *end || jobs < 1 || jobs > JOBS_MAX)
		scan_fail("--jobs: '%s' is no number from 1 to %d", word, JOBS_MAX);
	return (int)jobs;
}

static int processors(void)
{
	cpu_set_t set;
	int count;

	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return 1;
	count = CPU_COUNT(&set);
	return count > JOBS_MAX ? JOBS_MAX : count;
}

struct settings_of_scan scan_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "color", required_argument, NULL, 'c' },
		{ "format", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "libraries", no_argument, NULL, 'l' },
		{ "only", required_argument, NULL, 'o' },
		/* From the wrapper: where the library lies. */
		{ "preload", required_argument, NULL, 'p' },
		{ "quiet", no_argument, NULL, 'q' },
		{ 0 },
	};
	struct settings_of_scan settings = {
		.only = (1U << KINDS) - 1, .jobs = processors(), .preload = PRELOAD_FOLDER,
	};
	const char *colour = "auto";
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (option) {
		case 'a': settings.all = true; break;
		case 'c': colour = optarg; break;
		case 'f': settings.format = parse_format(optarg); break;
		case 'h': help();
		case 'j': settings.jobs = parse_jobs(optarg); break;
		case 'l': settings.libraries = true; break;
		case 'o':
			settings.only = parse_only(optarg);
			settings.chosen = true;
			break;
		case 'p': settings.preload = optarg; break;
		case 'q': settings.quiet = true; break;
		case ':': scan_fail("option '%s' needs a value; see jitmend scan --help", argv[optind - 1]);
		default:
			scan_fail(optopt && strchr(argv[optind - 1], '=')
					? "option '%s' takes no value; see jitmend scan --help"
					: "unknown option '%s'; see jitmend scan --help",
				  argv[optind - 1]);
		}
	}
	if (optind == argc)
		scan_fail("no file and no folder given; see jitmend scan --help");
	settings.colour = parse_colour(colour);
	settings.paths = argv + optind;
	return settings;
}
