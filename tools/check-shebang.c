/* check-shebang.c: a script's first line as the kernel reads it (its
 * fs/binfmt_script.c). Pure; see check.h. */
#include <config.h>

#include "check.h"

#include <string.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool ends_name(char c)
{
	return blank(c) || c == '\n' || c == '\0';
}

bool shebang_parse(char *head, char **interpreter, char **argument)
{
	char *const last = head + SHEBANG_SIZE - 1;
	char *end = memchr(head, '\n', SHEBANG_SIZE);
	char *name = head + 2, *stop;

	*argument = NULL;
	if (head[0] != '#' || head[1] != '!')
		return false;
	while (name <= last && blank(*name))
		name++;
	stop = name;
	while (stop <= last && !ends_name(*stop))
		stop++;
	/* A name cut by the buffer's end is not taken for a name; an argument
	 * that is cut is. */
	if (stop > last)
		return false;
	if (!end)
		end = last;
	while (end > head + 2 && blank(end[-1]))
		end--;
	*end = '\0';
	if (stop == name)
		return false;
	*interpreter = name;
	if (stop >= end || *stop == '\0')
		return true;
	*stop++ = '\0';
	while (stop < end && blank(*stop))
		stop++;
	if (stop < end && *stop)
		*argument = stop;
	return true;
}
