/* memory.c: memcpy and its kin for the freestanding engine. See memory.h. */
#include "memory.h"

#include <stdint.h>

/* Words wherever they lie: a byte at a time, Zydis's clearing of its operands was a sixth
 * of what a store costs. */
typedef uint64_t word __attribute__((may_alias, aligned(1)));

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	for (; length >= sizeof(word); length -= sizeof(word)) {
		*(word *)t = *(const word *)f;
		t += sizeof(word);
		f += sizeof(word);
	}
	while (length--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int byte, size_t length)
{
	uint64_t all = (unsigned char)byte * 0x0101010101010101ULL;
	unsigned char *t = to;

	for (; length >= sizeof(word); length -= sizeof(word)) {
		*(word *)t = all;
		t += sizeof(word);
	}
	while (length--)
		*t++ = (unsigned char)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
	const unsigned char *x = a, *y = b;

	for (; length; length--, x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

size_t string_length(const char *string)
{
	const char *end = string;

	while (*end)
		end++;
	return (size_t)(end - string);
}

bool string_equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

const char *string_after(const char *string, const char *prefix)
{
	while (*prefix)
		if (*string++ != *prefix++)
			return NULL;
	return string;
}
