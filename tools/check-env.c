/* check-env.c: what env(1), or ld.so run as a program, is told to run. See
 * check.h. A best effort: where an option is not known here, the answer is that
 * it cannot be told, and the program runs unlooked at. */
#include <config.h>

#include "check.h"

#include <stdlib.h>
#include <string.h>

static const char *after(const char *string, const char *start)
{
	size_t length = strlen(start);

	return strncmp(string, start, length) == 0 ? string + length : NULL;
}

static size_t count(char **list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

/* -S: one string of words, as `#!' lines need it. Quotes, escapes and variables
 * are env's own language: left alone. NULL where they occur. */
static char **split(const char *string, char **rest)
{
	size_t most = strlen(string) / 2 + 1;
	char **words = calloc(most + count(rest) + 1, sizeof *words);
	char *copy = strdup(string), *state = NULL;
	size_t n = 0;

	if (!words || !copy || strpbrk(copy, "'\"\\$#"))
		return NULL;
	for (char *word = strtok_r(copy, " \t\n\v\f\r", &state); word;
	     word = strtok_r(NULL, " \t\n\v\f\r", &state))
		words[n++] = word;
	while (*rest)
		words[n++] = *rest++;
	return words;
}

static void unset(struct env_command *command, const char *name)
{
	if (strcmp(name, "LD_PRELOAD") == 0)
		command->drops_preload = true;
	else if (strcmp(name, "PATH") == 0)
		command->search = NULL;
}

/* The value of a short option: behind its letter, or the next word. */
static char *value(char *letter, char ***argv)
{
	if (letter[1])
		return letter + 1;
	return **argv ? *(*argv)++ : NULL;
}

/* One word of short options, the next word in *ARGV. False: not understood. */
static bool short_options(struct env_command *command, char *word, char ***argv)
{
	for (char *letter = word + 1; *letter; letter++) {
		char *given;

		if (*letter == 'i') {
			command->drops_preload = true;
			continue;
		}
		if (*letter == 'v')
			continue;
		if (*letter != 'u' && *letter != 'S')
			return false;
		given = value(letter, argv);
		if (!given)
			return false;
		if (*letter == 'u')
			return unset(command, given), true;
		*argv = split(given, *argv);
		return *argv != NULL;
	}
	return true;
}

static bool long_option(struct env_command *command, char *word, char ***argv)
{
	const char *given;

	if (strcmp(word, "--ignore-environment") == 0)
		return command->drops_preload = true;
	if (strcmp(word, "--debug") == 0)
		return true;
	if ((given = after(word, "--unset=")))
		return unset(command, given), true;
	if ((given = after(word, "--split-string="))) {
		*argv = split(given, *argv);
		return *argv != NULL;
	}
	return false;
}

static void assignment(struct env_command *command, const char *word)
{
	const char *given;

	if ((given = after(word, "PATH=")))
		command->search = given;
	if ((given = after(word, "LD_PRELOAD=")))
		command->drops_preload = !strstr(given, "/libjitmend.so");
}

struct env_command env_look(char **argv, const char *search)
{
	struct env_command command = { .search = search };

	argv++;
	while (*argv && **argv == '-') {
		char *word = *argv++;

		if (strcmp(word, "--") == 0)
			break;
		if (strcmp(word, "-") == 0)
			command.drops_preload = true;
		else if (!(word[1] == '-' ? long_option(&command, word, &argv) :
					    short_options(&command, word, &argv)))
			return (struct env_command){ 0 };
	}
	for (; *argv && strchr(*argv, '='); argv++)
		assignment(&command, *argv);
	if (*argv)
		command.argv = argv;
	return command;
}

const char *loader_argument(char **argv)
{
	static const char *const with_value[] = {
		"--library-path", "--glibc-hwcaps-prepend", "--glibc-hwcaps-mask",
		"--inhibit-rpath", "--audit", "--preload", "--argv0",
	};

	for (argv++; *argv && after(*argv, "--"); argv++) {
		bool valued = false;

		for (size_t i = 0; i < sizeof with_value / sizeof *with_value; i++)
			valued |= strcmp(*argv, with_value[i]) == 0;
		if (valued && *++argv)
			continue;
		if (!valued && strcmp(*argv, "--inhibit-cache") == 0)
			continue;
		return NULL;
	}
	/* Without a slash it is searched for among the libraries. */
	return *argv && strchr(*argv, '/') ? *argv : NULL;
}
