/* print.c: see print.h. */
#include <config.h>

#include "print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The length of a sequence of UTF-8 that a terminal may take for an order; 0. */
static size_t order_length(const unsigned char *at)
{
	if (at[0] < 0x20 || at[0] == 0x7f || at[0] == '\\')
		return 1;
	if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
		return 2;
	if (at[0] == 0xe2 && at[1] == 0x80 && ((at[2] >= 0xa8 && at[2] <= 0xae) || at[2] == 0x8e ||
					       at[2] == 0x8f))
		return 3;
	return at[0] == 0xe2 && at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9 ? 3 : 0;
}

void print_safe(FILE *out, const char *string)
{
	const unsigned char *at = (const unsigned char *)string;

	while (*at) {
		size_t order = order_length(at);

		if (!order)
			putc(*at++, out);
		for (; order; order--)
			fprintf(out, "\\%03o", *at++);
	}
}

const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

void print_count(FILE *out, uint64_t count)
{
	char digits[32];
	int length = snprintf(digits, sizeof digits, "%" PRIu64, count);

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			putc(',', out);
		putc(digits[i], out);
	}
}

void print_counted(FILE *out, uint64_t count, const char *one, const char *many)
{
	print_count(out, count);
	fprintf(out, " %s", count == 1 ? one : many);
}

void print_size(FILE *out, uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB" };
	unsigned unit = 0;
	uint64_t rest = 0;

	for (; bytes >= 1024 && unit < 5; unit++) {
		rest = bytes % 1024;
		bytes /= 1024;
	}
	if (rest && bytes < 100)
		fprintf(out, "%" PRIu64 ".%" PRIu64 " %s", bytes, rest * 10 / 1024, units[unit]);
	else
		fprintf(out, "%" PRIu64 " %s", bytes, units[unit]);
}

const struct spot *first_spot(const struct model *model, struct frame frame, uint32_t process)
{
	const struct symbol *symbol = symbols_of(model, frame, process);

	return symbol ? &symbol->spots[0] : NULL;
}

char *place_name(const struct model *model, struct frame frame)
{
	char *name;
	int length;

	if (frame.module == NONE)
		length = asprintf(&name, "generated code at 0x%" PRIx64, frame.offset);
	else
		length = asprintf(&name, "%s+0x%" PRIx64, model->modules[frame.module].path,
				  frame.offset);
	if (length < 0)
		fail("no memory");
	return name;
}

char *function_name(const struct model *model, struct frame frame, uint32_t process)
{
	const struct spot *spot = first_spot(model, frame, process);
	char *name;

	if (spot && spot->function)
		return duplicate(spot->function);
	if (frame.module == NONE)
		return place_name(model, frame);
	if (asprintf(&name, "%s+0x%" PRIx64, base_name(model->modules[frame.module].path),
		     frame.offset) < 0)
		fail("no memory");
	return name;
}

/* The types of arguments are longer than all else in C++, and follow a
 * parenthesis that no template holds. */
size_t short_length(const char *name)
{
	unsigned depth = 0;

	for (size_t i = 0; name[i]; i++) {
		bool is_operator = i >= 8 && strncmp(name + i - 8, "operator", 8) == 0;

		if (name[i] == '<' && !is_operator)
			depth++;
		else if (name[i] == '>' && depth && name[i - 1] != '-')
			depth--;
		else if (name[i] == '(' && i && !depth && !is_operator &&
			 strncmp(name + i, "(anonymous", 10) != 0)
			return i;
	}
	return strlen(name);
}

const char *journal_name(const char *name)
{
	return strcmp(name, "-") == 0 ? "standard input" : name;
}

const char *relative_to(const char *root, const char *path)
{
	size_t length = root ? strlen(root) : 0;

	while (length && root[length - 1] == '/')
		length--;
	if (length && strncmp(path, root, length) == 0 && path[length] == '/')
		return path + length + 1;
	return path;
}
