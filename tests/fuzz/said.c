/* said.c: what the walk prints. See walk.h. A program may end at any instruction:
 * lines are written one by one, where they are wanted at all. */
#include "walk.h"

#include <stdarg.h>

static bool as_lines;
static unsigned depth;
static uint64_t checksum = 14695981039346656037ULL;

void tell_lines(bool lines)
{
	as_lines = lines;
}

void tell_in_child(void)
{
	depth++;
}

static void put(const char *text, size_t length)
{
	must(write(STDOUT_FILENO, text, length) == (ssize_t)length, "standard output");
}

void tell(const char *format, ...)
{
	char line[512];
	va_list arguments;
	int length = snprintf(line, sizeof(line), "%.*s", (int)depth, ">>>>");

	va_start(arguments, format);
	length += vsnprintf(line + length, sizeof(line) - (size_t)length - 1, format, arguments);
	va_end(arguments);
	if (length > (int)sizeof(line) - 2)
		length = (int)sizeof(line) - 2;
	line[length++] = '\n';
	if (as_lines)
		put(line, (size_t)length);
	for (int i = 0; i < length; i++)
		checksum = (checksum ^ (unsigned char)line[i]) * 1099511628211ULL;
}

void tell_progress(const char *what, size_t operations)
{
	char line[80];

	put(line, (size_t)snprintf(line, sizeof(line), "%.*s%s %zu: %016llx\n", (int)depth, ">>>>",
				   what, operations, (unsigned long long)checksum));
}

const char *answer(long result)
{
	return result == -1 ? strerrorname_np(errno) : "0";
}

const char *place(const volatile void *address)
{
	static _Thread_local char words[8][32];
	static _Thread_local unsigned turn;
	char *word = words[turn++ % 8];

	for (struct region *region = regions; region < regions + REGIONS; region++) {
		size_t offset = (size_t)((uintptr_t)address - (uintptr_t)region->start);

		if (offset <= (region->most + 16) * PAGE) {
			snprintf(word, sizeof(words[0]), "%c+%#zx", region->name, offset);
			return word;
		}
	}
	return address ? "elsewhere" : "null";
}
