/* said.c: what the walk prints. See walk.h. A program may end at any instruction:
 * lines are written one by one. */
#include "walk.h"

#include <stdarg.h>

static unsigned depth;

void tell_in_child(void)
{
	depth++;
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
	must(write(STDOUT_FILENO, line, (size_t)length) == length, "standard output");
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
