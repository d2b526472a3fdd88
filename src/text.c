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

/* The length of the UTF-8 sequence that BYTES begin with; 0: none. Overlong
 * forms, surrogates and what lies past U+10FFFF are none (RFC 3629). */
static size_t utf8_length(const unsigned char *bytes, size_t length)
{
	unsigned lead = bytes[0];
	size_t want = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 :
		      lead < 0xf5 ? 4 : 0;

	if (want == 0 || want > length)
		return 0;
	for (size_t i = 1; i < want; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	if ((lead == 0xe0 && bytes[1] < 0xa0) || (lead == 0xed && bytes[1] > 0x9f) ||
	    (lead == 0xf0 && bytes[1] < 0x90) || (lead == 0xf4 && bytes[1] > 0x8f))
		return 0;
	return want;
}

static void add_json_byte(struct text *text, unsigned char c)
{
	if (c == '"' || c == '\\') {
		add_byte(text, '\\');
		add_byte(text, (char)c);
	} else if (c < 0x20 || c == 0x7f) {
		text_add(text, "\\u00");
		add_byte(text, "0123456789abcdef"[c >> 4]);
		add_byte(text, "0123456789abcdef"[c & 15]);
	} else {
		add_byte(text, (char)c);
	}
}

void text_add_json(struct text *text, const char *string, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)string;
	size_t left = 0;

	while (left < length && bytes[left])
		left++;
	add_byte(text, '"');
	while (left) {
		size_t sequence = utf8_length(bytes, left);

		if (sequence == 0)
			text_add(text, "\\ufffd");
		else if (sequence == 1)
			add_json_byte(text, bytes[0]);
		else
			for (size_t i = 0; i < sequence; i++)
				add_byte(text, (char)bytes[i]);
		bytes += sequence ? sequence : 1;
		left -= sequence ? sequence : 1;
	}
	add_byte(text, '"');
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
