/* check-environment.c: what the shell made of the environment on its way to the
 * program. See check.h. */
#include <config.h>

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A process's environment as it was started: strings end to end, and one more
 * zero; it may have none. NULL where that cannot be known, no /proc for example. */
static char *environment_of(int pid)
{
	size_t size = 0, room = 1 << 16;
	char path[32], *block = NULL;
	ssize_t got = -1;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/environ", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	do {
		char *larger = realloc(block, room *= 2);

		if (!larger)
			break;
		block = larger;
		while ((got = read(fd, block + size, room - size - 2)) > 0)
			size += (size_t)got;
	} while (got == 0 && size == room - 2);
	close(fd);
	if (!block || got < 0) {
		free(block);
		return NULL;
	}
	memset(block + size, 0, 2);
	return block;
}

/* Ours to change, or the shell's to keep right: bash counts SHLVL down again
 * when it execs, and writes _ anew. */
static bool exempt(const char *entry)
{
	return strncmp(entry, "LD_PRELOAD=", 11) == 0 || strncmp(entry, "LD_AUDIT=", 9) == 0 ||
	       strncmp(entry, "JITMEND_", 8) == 0 || strncmp(entry, "SHLVL=", 6) == 0 ||
	       strncmp(entry, "_=", 2) == 0;
}

static bool same_name(const char *entry, const char *other)
{
	size_t length = (size_t)(strchrnul(entry, '=') - entry);

	return strncmp(entry, other, length) == 0 && (other[length] == '=' || !other[length]);
}

static bool carried(const char *entry)
{
	for (char **own = environ; *own; own++)
		if (strcmp(*own, entry) == 0)
			return true;
	return false;
}

static bool was_there(const char *block, const char *entry)
{
	for (; *block; block += strlen(block) + 1)
		if (same_name(entry, block))
			return true;
	return false;
}

/* In single quotes, which the shell takes as they stand; quotes themselves go
 * between: 'it'\''s'. */
void print_quoted(const char *string)
{
	putchar('\'');
	for (; *string; string++) {
		if (*string == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*string);
	}
	putchar('\'');
}

/* A word before the program's name. */
static void print_word(const char *word)
{
	fputs("jitmend_words=1; set -- ", stdout);
	print_quoted(word);
	fputs(" \"$@\"\n", stdout);
}

void environment_print(int pid)
{
	char *block = environment_of(pid);

	if (!block)
		return;
	for (const char *entry = block; *entry; entry += strlen(entry) + 1)
		if (strchr(entry, '=') && !exempt(entry) && !carried(entry))
			print_word(entry);
	for (char **own = environ; *own; own++)
		if (!exempt(*own) && !was_there(block, *own))
			printf("unset %.*s\n", (int)(strchrnul(*own, '=') - *own), *own);
	free(block);
}
