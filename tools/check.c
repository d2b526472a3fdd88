/* check.c: jitmend-check, the helper that `jitmend run' asks before it starts
 * anything: can this program be mended, are the user's words understood, can
 * the log be written?
 *
 *   jitmend-check --preload=DIR --pid=N --path=PATH [--policy=WORDS] [--log=FILE]
 *                 [--backtrace=N] [--origins] [--audit-loader] [--agent=FILE] [--all]
 *                 -- PROGRAM [ARG...]
 *
 * The environment is the one that the program is going to get. Options say
 * which of its words came from the command line, so that a message can name
 * what the user wrote. Status 0: go on; standard output is for the shell's eval:
 *
 *   jitmend_first='SONAME'           must come before ours in LD_PRELOAD, or ''
 *   jitmend_audit=1                  libjitmend-audit.so has to be in LD_AUDIT
 *   jitmend_by_agent=1; set -- ...   the command line that begins with the agent
 *   unset NAME                       see environment_print(), as for:
 *   jitmend_words=1; set -- 'NAME=VALUE' "$@"
 *
 * Otherwise one line on standard error, and the status to exit with. See
 * check.h for the parts. */
#include <config.h>

#include "check.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "settings.h"
#include "text.h"

struct wishes {
	const char *preload;
	const char *search;
	const char *policy; /* NULL: not on the command line; so the next two */
	const char *log;
	const char *backtrace;
	const char *agent;
	bool origins;
	bool audit;
	bool all;
	int pid;
	char **argv;
};

void refuse(int status, const char *format, ...)
{
	static char message[4 * PATH_MAX], line[4 * PATH_MAX + 64];
	struct text text = text_in(line, sizeof line);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	/* Names of files are anybody's: one line it stays. */
	text_add(&text, "jitmend: ");
	text_add_quoted(&text, message, sizeof message);
	/* There is nobody left to tell if this fails. */
	if (write(STDERR_FILENO, line, text_end_line(&text)) < 0)
		exit(status);
	exit(status);
}

static int parse_pid(const char *word)
{
	char *end;
	long pid;

	errno = 0;
	pid = strtol(word, &end, 10);
	if (errno || end == word || *end || pid <= 0 || pid > INT_MAX)
		refuse(EXIT_REFUSED, "jitmend-check: %s is no process id", word);
	return (int)pid;
}

static struct wishes read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "preload", required_argument, NULL, 'd' },
		{ "path", required_argument, NULL, 'P' },
		{ "pid", required_argument, NULL, 'n' },
		{ "policy", required_argument, NULL, 'p' },
		{ "log", required_argument, NULL, 'l' },
		{ "backtrace", required_argument, NULL, 'b' },
		{ "origins", no_argument, NULL, 'o' },
		{ "audit-loader", no_argument, NULL, 'u' },
		{ "agent", required_argument, NULL, 'g' },
		{ "all", no_argument, NULL, 'a' },
		{ 0 },
	};
	struct wishes wishes = { 0 };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 'd': wishes.preload = optarg; break;
		case 'P': wishes.search = optarg; break;
		case 'n': wishes.pid = parse_pid(optarg); break;
		case 'p': wishes.policy = optarg; break;
		case 'l': wishes.log = optarg; break;
		case 'b': wishes.backtrace = optarg; break;
		case 'o': wishes.origins = true; break;
		case 'u': wishes.audit = true; break;
		case 'g': wishes.agent = optarg; break;
		case 'a': wishes.all = true; break;
		default: refuse(EXIT_REFUSED, "jitmend-check is called by `jitmend run', which see");
		}
	}
	if (!wishes.preload || !wishes.pid || optind == argc)
		refuse(EXIT_REFUSED, "jitmend-check is called by `jitmend run', which see");
	wishes.argv = argv + optind;
	return wishes;
}

static _Noreturn void refuse_word(const char *name, const struct settings_error *error)
{
	if (!error->word)
		refuse(EXIT_REFUSED, "%s %s", name, error->reason);
	refuse(EXIT_REFUSED, "%s: '%.*s' %s", name,
	       error->length > PATH_MAX ? PATH_MAX : (int)error->length, error->word,
	       error->reason);
}

static struct settings check_words(const struct wishes *wishes)
{
	struct settings_error error = { 0 };
	struct settings settings;
	unsigned policy, frames;

	if (wishes->policy && !settings_parse_policy(wishes->policy, &policy, &error))
		refuse_word("--policy", &error);
	if (wishes->log && !settings_parse_log(wishes->log, &error))
		refuse_word("--log", &error);
	if (wishes->backtrace && !settings_parse_backtrace(wishes->backtrace, &frames, &error))
		refuse_word("--backtrace", &error);
	settings = settings_read(environ, false, &error);
	if (error.variable)
		refuse_word(error.variable, &error);
	return settings;
}

/* The agent takes the program's file, not its name (src/agent/agent.h). */
static void print_agent(const char *agent, const char *file)
{
	printf("jitmend_by_agent=1; set -- ");
	print_quoted(agent);
	printf(" first ");
	print_quoted(file);
	printf(" -- \"$@\"\n");
}

int main(int argc, char **argv)
{
	struct wishes wishes = read_options(argc, argv);
	struct settings settings = check_words(&wishes);
	bool agent = wishes.agent && access(wishes.agent, X_OK) == 0;
	const struct preload preload = {
		.folder = wishes.preload, .origins = wishes.origins, .follow = settings.follow,
		.agent = agent, .all = wishes.all, .audit = wishes.audit,
	};
	struct chain_end end;

	if (wishes.all && !agent)
		refuse(EXIT_REFUSED, "--all needs jitmend-agent, which is no part of this build");
	end = chain_follow(wishes.argv, wishes.search, &preload);
	/* Last: it may make the file, which nobody wants where nothing runs. */
	if (settings.log)
		log_check(wishes.log ? "--log" : "JITMEND_LOG", settings.log, wishes.pid);
	printf("jitmend_first=");
	print_quoted(end.sanitizer);
	printf("\n");
	if (end.audit)
		printf("jitmend_audit=1\n");
	if (end.by_agent)
		print_agent(wishes.agent, end.file);
	environment_print(wishes.pid);
	if (fflush(stdout) != 0 || ferror(stdout))
		refuse(EXIT_REFUSED, "jitmend-check: nobody reads its answer");
	return 0;
}
