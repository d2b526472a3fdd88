/* text.h: one line of text, put together in a caller's buffer.
 *
 * Stands in for stdio, which allocates, locks and knows locales. What does not
 * fit is cut off, and the line still ends in a newline. Async-signal-safe. */
#ifndef JITMEND_TEXT_H
#define JITMEND_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *buffer;
	size_t size;
	size_t length;
	bool cut;
};

struct text text_in(char *buffer, size_t size);
void text_add(struct text *text, const char *string);

/* At most LENGTH bytes, control characters and backslashes as \ooo: a file's
 * name must not be able to forge a line of the log. */
void text_add_quoted(struct text *text, const char *string, size_t length);

/* At most LENGTH bytes as a string of JSON (RFC 8259), in quotation marks. What
 * is not ASCII goes through as it is where it is UTF-8, else as U+FFFD. */
void text_add_json(struct text *text, const char *string, size_t length);
void text_add_number(struct text *text, uint64_t number);
void text_add_hex(struct text *text, uint64_t number); /* with 0x */

/* Ends the line; returns its length with the newline. */
size_t text_end_line(struct text *text);

#endif
