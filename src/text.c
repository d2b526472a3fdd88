/* text.c: one line of text, put together without stdio. See text.h. */
#include "text.h"

struct text text_in(char *buffer, size_t size)
{
	return (struct text){ .buffer = buffer, .size = size };
}

static void add_byte(struct text *text, char byte)
{
	/* One byte stays free for the newline. */
	if (text->length + 1 >= text->size) {
		text->cut = true;
		return;
	}
	text->buffer[text->length++] = byte;
}

void text_add(struct text *text, const char *string)
{
	while (*string)
		add_byte(text, *string++);
}

void text_add_quoted(struct text *text, const char *string, size_t length)
{
	for (; length && *string; length--, string++) {
		unsigned char c = (unsigned char)*string;

		if (c >= 0x20 && c != 0x7f && c != '\\') {
			add_byte(text, *string);
			continue;
		}
		add_byte(text, '\\');
		add_byte(text, (char)('0' + (c >> 6)));
		add_byte(text, (char)('0' + (c >> 3 & 7)));
		add_byte(text, (char)('0' + (c & 7)));
	}
}

static void add_in_base(struct text *text, uint64_t number, unsigned base)
{
	char digits[20];
	size_t count = 0;

	do {
		digits[count++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	while (count)
		add_byte(text, digits[--count]);
}

void text_add_number(struct text *text, uint64_t number)
{
	add_in_base(text, number, 10);
}

void text_add_hex(struct text *text, uint64_t number)
{
	text_add(text, "0x");
	add_in_base(text, number, 16);
}

size_t text_end_line(struct text *text)
{
	if (text->size == 0)
		return 0;
	text->buffer[text->length++] = '\n';
	return text->length;
}
