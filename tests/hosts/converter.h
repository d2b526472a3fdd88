/* converter.h: what the parts of the converter tell each other.
 *
 * The converter is a test host: a program of the old kind that compiles the
 * parser of a record format at run time and so needs executable memory. It is
 * written as such programs are, and knows nothing of jitmend. */
#ifndef CONVERTER_H
#define CONVERTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- messages: both print "converter: ..." and exit 1 */

/* WHAT and the meaning of errno, as perror(3) would say it. */
_Noreturn void fail(const char *what);
_Noreturn void refuse(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* ---- text that grows: converter-text.c */

struct text {
	char *start; /* on the malloc heap, beside the code of some allocators */
	size_t length;
	size_t capacity;
};

void text_begin(struct text *text);
void text_end(struct text *text);

/* Called by the generated code, so their argument lists are part of its
 * instructions: text in rdi, the value in rsi, the rest in rdx. */
void put_signed(struct text *text, int64_t value, unsigned int scale);
void put_unsigned(struct text *text, uint64_t value, unsigned int scale);
void put_date(struct text *text, int64_t yyyymmdd, unsigned int unused);
void put_characters(struct text *text, const char *from, unsigned int width);
void put_separator(struct text *text, int64_t character);

/* ---- the data dictionary: converter-dictionary.c */

enum kind {
	KIND_SIGNED,
	KIND_UNSIGNED,
	KIND_PACKED, /* two decimal digits a byte, the last half byte the sign */
	KIND_DATE,   /* eight decimal digits, YYYYMMDD */
	KIND_TEXT,
	KIND_FILLER, /* bytes that nobody reads */
};

struct field {
	char name[32];
	enum kind kind;
	bool big_endian;
	unsigned int width;  /* bytes in the record */
	unsigned int scale;  /* decimal places implied */
	unsigned int offset; /* from the start of the record */
};

struct dictionary {
	struct field *fields;
	size_t count;
	unsigned int record_length;
};

void read_dictionary(struct dictionary *dictionary, const char *path);

/* ---- from dictionary to machine code: converter-generator.c */

typedef void parser(const unsigned char *record, struct text *text);

/* Writes the parser at CODE, which has room for CAPACITY bytes, and returns
 * its length. With CAPACITY 0 only the length is found. */
size_t generate_parser(const struct dictionary *dictionary,
		       unsigned char *code, size_t capacity);

/* ---- memory for the code: converter-memory.c */

struct allocator;

struct code_memory {
	const struct allocator *allocator;
	unsigned char *start;
	size_t length;
};

const struct allocator *find_allocator(const char *name);
const char *allocator_names(void);
void allocate_code(struct code_memory *memory,
		   const struct allocator *allocator, size_t length);
void make_executable(struct code_memory *memory);
void make_writable(struct code_memory *memory);
void release_code(struct code_memory *memory);

#endif
