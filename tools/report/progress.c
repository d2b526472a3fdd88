/* progress.c: how far it is, for who waits. A line that is written over, at most
 * ten times a second, and taken away at the end: it is no part of what is said. */
#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

enum { WIDTH = 78 };

static bool shown;

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is soon over needs no line at all. */
static bool is_time(void)
{
	static int64_t next;
	int64_t now = milliseconds();
	bool first = next == 0;

	if (now < next)
		return false;
	next = now + (first ? 300 : 100);
	return !first;
}

void progress(const char *format, ...)
{
	static int terminal = -1;
	char line[WIDTH + 1];
	va_list arguments;

	if (terminal < 0)
		terminal = isatty(STDERR_FILENO);
	if (!terminal || !is_time())
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			*c = '?';
	fprintf(stderr, "\r%-*s", WIDTH, line);
	fflush(stderr);
	shown = true;
}

void progress_end(void)
{
	if (shown)
		fprintf(stderr, "\r%*s\r", WIDTH, "");
	shown = false;
}
