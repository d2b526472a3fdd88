/* judge.c: line by line. See judge.h. */
#define _GNU_SOURCE
#include "judge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

/* Which errors a call has besides the one that was made for its own number: from
 * its page of the manual, as far as it may come of a shortage or a policy. */
enum { ANY = -1 };

static const struct call {
	const char *name;
	long number;
	int errors[4];
} calls[] = {
	{ "mmap", SYS_mmap, { ENOMEM, EACCES } },
	{ "mprotect", SYS_mprotect, { ENOMEM, EACCES } },
	{ "munmap", SYS_munmap, { ENOMEM } },
	{ "mremap", SYS_mremap, { ENOMEM, EAGAIN } },
	{ "madvise", SYS_madvise, { ENOMEM, EAGAIN } },
	{ "fork", SYS_fork, { ENOMEM, EAGAIN } },
	{ "thread", ANY, { EAGAIN } }, /* libc hands on what its stack was refused with */
	{ "brk", SYS_brk, { ENOMEM } },
};

/* The line is "CALL WHAT: -1 ERROR". */
static bool is_refusal(const char *line, size_t length, long number, int error)
{
	char text[WHY_SIZE];
	const char *name;

	if (length >= sizeof text)
		return false;
	memcpy(text, line, length);
	text[length] = 0;
	name = strstr(text, ": -1 E");
	if (!name || strchr(name + 5, ' '))
		return false;
	name += 5;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		size_t size = strlen(calls[i].name);

		if (strncmp(text, calls[i].name, size) != 0 || text[size] != ' ')
			continue;
		if ((calls[i].number == number || calls[i].number == ANY) && error &&
		    strcmp(name, strerrorname_np(error)) == 0)
			return true;
		for (size_t j = 0; j < 4 && calls[i].errors[j]; j++)
			if (strcmp(name, strerrorname_np(calls[i].errors[j])) == 0)
				return true;
	}
	return false;
}

static size_t line_length(const char *text)
{
	return strcspn(text, "\n");
}

static const char *next_line(const char *line)
{
	line += line_length(line);
	return *line ? line + 1 : line;
}

static bool is_line(const char *line, const char *words)
{
	return line_length(line) == strlen(words) && strncmp(line, words, strlen(words)) == 0;
}

static bool same_line(const char *a, const char *b)
{
	return *a && *b && line_length(a) == line_length(b) && !strncmp(a, b, line_length(a));
}

/* That contents were found right may be said once more. */
static bool says_right(const char *line)
{
	static const char words[] = ": contents right";
	size_t length = line_length(line), size = sizeof words - 1;

	return length >= size && strncmp(line + length - size, words, size) == 0;
}

/* What comes after it the run does without, to the line that it goes on with. */
static const char *skip_given_up(const char *native, const char *run)
{
	for (; *native; native = next_line(native))
		if (same_line(native, run))
			return native;
	return native;
}

bool judge(const char *native, const char *run, long number, int error, char why[WHY_SIZE])
{
	bool refused = false, without = false;

	for (; *run; run = next_line(run)) {
		if (same_line(native, run)) {
			native = next_line(native);
			continue;
		}
		if (is_line(run, "given up") && refused) {
			without = true;
			continue;
		}
		if (is_refusal(run, line_length(run), number, error)) {
			refused = true;
			continue;
		}
		if (without && *skip_given_up(native, run)) {
			native = next_line(skip_given_up(native, run));
			without = false;
			continue;
		}
		if (refused && says_right(run))
			continue;
		snprintf(why, WHY_SIZE, "\"%.*s\", natively \"%.*s\"", (int)line_length(run), run,
			 (int)line_length(native), native);
		return false;
	}
	if (*native && !without) {
		snprintf(why, WHY_SIZE, "ends before \"%.*s\"", (int)line_length(native), native);
		return false;
	}
	return true;
}
