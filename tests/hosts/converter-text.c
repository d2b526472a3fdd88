/* converter-text.c: the converter's output, gathered in memory that grows.
 *
 * The put_ functions are called by the generated code and write to the malloc
 * heap: with some allocators right beside that code, on the same pages. */
#include "converter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64 /* small, so that it grows often */

void text_begin(struct text *text)
{
	text->length = 0;
	text->capacity = FIRST_CAPACITY;
	text->start = malloc(text->capacity);
	if (!text->start)
		fail("malloc");
}

void text_end(struct text *text)
{
	free(text->start);
	text->start = NULL;
	text->length = text->capacity = 0;
}

static void put_bytes(struct text *text, const char *bytes, size_t count)
{
	while (text->capacity - text->length < count) {
		text->capacity += text->capacity / 2;
		text->start = realloc(text->start, text->capacity);
		if (!text->start)
			fail("realloc");
	}
	memcpy(text->start + text->length, bytes, count);
	text->length += count;
}

/* Digits with SCALE of them behind the point, at least one before it. */
static void put_number(struct text *text, bool negative, uint64_t value, unsigned int scale)
{
	char digits[48];
	char *first = digits + sizeof(digits);
	unsigned int done = 0;

	do {
		if (scale && done == scale)
			*--first = '.';
		*--first = (char)('0' + value % 10);
		value /= 10;
		done++;
	} while (value || done <= scale);
	if (negative)
		*--first = '-';
	put_bytes(text, first, (size_t)(digits + sizeof(digits) - first));
}

void put_unsigned(struct text *text, uint64_t value, unsigned int scale)
{
	put_number(text, false, value, scale);
}

void put_signed(struct text *text, int64_t value, unsigned int scale)
{
	if (value < 0)
		put_number(text, true, -(uint64_t)value, scale);
	else
		put_number(text, false, (uint64_t)value, scale);
}

/* A date of nothing but zeros means that there is none. */
void put_date(struct text *text, int64_t yyyymmdd, unsigned int unused)
{
	char date[32];
	int length;

	(void)unused;
	if (!yyyymmdd)
		return;
	length = snprintf(date, sizeof(date), "%04d-%02d-%02d", (int)(yyyymmdd / 10000),
			  (int)(yyyymmdd / 100 % 100), (int)(yyyymmdd % 100));
	put_bytes(text, date, (size_t)length);
}

static unsigned int length_without_blanks(const char *from, unsigned int width)
{
	while (width && (from[width - 1] == ' ' || from[width - 1] == '\0'))
		width--;
	return width;
}

/* Quoted as RFC 4180 has it where a comma or a quotation mark asks for it. */
void put_characters(struct text *text, const char *from, unsigned int width)
{
	unsigned int length = length_without_blanks(from, width);

	if (!memchr(from, ',', length) && !memchr(from, '"', length)) {
		put_bytes(text, from, length);
		return;
	}
	put_bytes(text, "\"", 1);
	for (; length; length--, from++)
		put_bytes(text, *from == '"' ? "\"\"" : from, *from == '"' ? 2 : 1);
	put_bytes(text, "\"", 1);
}

void put_separator(struct text *text, int64_t character)
{
	char byte = (char)character;

	put_bytes(text, &byte, 1);
}
