/* deny-options.c: the words on jitmend-deny's command line. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deny.h"
#include "text.h"

static const struct {
	const char *word;
	unsigned policy;
	const char *help;
} policy_options[] = {
	{ "--execheap", POLICY_EXECHEAP, "SELinux: brk heap never made executable" },
	{ "--execmod", POLICY_EXECMOD, "SELinux: no written private file pages" },
	{ "--execmem", POLICY_EXECMEM, "SELinux: no anonymous or writable private memory" },
	{ "--execstack", POLICY_EXECSTACK, "SELinux: no stack" },
	{ "--noexec-dev", POLICY_NOEXEC_DEV, "/dev mounted noexec (PrivateDevices=)" },
	{ "--mdwe", POLICY_MDWE, "the kernel's MDWE (MemoryDenyWriteExecute=)" },
	{ "--seccomp", POLICY_SECCOMP, "the filter that systemd used for the same" },
};

void deny_fail(enum status status, const char *format, ...)
{
	char line[1024], quoted[4 * sizeof line];
	struct text text;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	/* One line, whatever is in a name. */
	text = text_in(quoted, sizeof quoted);
	text_add(&text, "jitmend: ");
	text_add_quoted(&text, line, sizeof line);
	fwrite(quoted, 1, text_end_line(&text), stderr);
	exit((int)status);
}

static _Noreturn void help(void)
{
	printf("Usage: jitmend deny POLICY... [--verbose] [--read-implies-exec] [--]\n"
	       "                    PROGRAM [ARG...]\n"
	       "Run PROGRAM and its descendants as if the policies were in force here.\n\n");
	for (size_t i = 0; i < sizeof policy_options / sizeof *policy_options; i++)
		printf("  %-20s %s\n", policy_options[i].word, policy_options[i].help);
	printf("  %-20s %s\n", "--verbose", "print each refusal, as an audit log would");
	printf("  %-20s %s\n", "--read-implies-exec",
	       "supervise calls that ask READ alone too (slower; for\n"
	       "                       programs that set that personality, as GCL does)");
	printf("  %-20s %s\n", "--help", "show this");
	printf("\nExit status: PROGRAM's; 125 for bad usage or a policy that cannot be put in\n"
	       "force, 126 if PROGRAM cannot be executed, 127 if it is not found.\n");
	if (fflush(stdout) != 0)
		deny_fail(STATUS_OURS, "cannot write the help text");
	exit(0);
}

static unsigned policy_of(const char *word)
{
	for (size_t i = 0; i < sizeof policy_options / sizeof *policy_options; i++)
		if (strcmp(policy_options[i].word, word) == 0)
			return policy_options[i].policy;
	return 0;
}

void deny_options(int argc, char **argv, struct deny_settings *settings)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		unsigned policy = policy_of(argv[i]);

		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (strcmp(argv[i], "--help") == 0)
			help();
		else if (strcmp(argv[i], "--verbose") == 0)
			settings->verbose = true;
		else if (strcmp(argv[i], "--read-implies-exec") == 0)
			settings->read_implies_exec = true;
		else if (!policy)
			deny_fail(STATUS_OURS, "deny: unknown option '%s'; see jitmend deny --help",
				  argv[i]);
		settings->policies |= policy;
	}
	if (!settings->policies)
		deny_fail(STATUS_OURS,
			  "deny: no policy given: name at least one, such as --execheap");
	if (i >= argc)
		deny_fail(STATUS_OURS, "deny: no program given");
	settings->program = argv + i;
}
