/* input.h: what the harnesses of libFuzzer share: bytes that nobody has looked at, as
 * what the function under test takes. A harness is one file of this folder: its
 * function LLVMFuzzerTestOneInput hands the bytes over, and a line of its first comment
 * names what it is built with, from the source's top: `Sources: WORD...'. What it
 * begins with lies in corpus/NAME. That is all: `run-parsers' finds it. */
#ifndef JITMEND_TESTS_FUZZ_INPUT_H
#define JITMEND_TESTS_FUZZ_INPUT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_WORDS_MOST = 32 };

/* The bytes as words, cut at each NUL, with NULL at the end. Give it to input_free. */
struct input_words {
	char *bytes;
	char *word[INPUT_WORDS_MOST + 1];
	int count;
};

static inline struct input_words input_words(const uint8_t *data, size_t size)
{
	struct input_words words = { .bytes = malloc(size + 1) };
	char *at = words.bytes;

	memcpy(words.bytes, data, size);
	words.bytes[size] = '\0';
	while (at < words.bytes + size && words.count < INPUT_WORDS_MOST) {
		words.word[words.count++] = at;
		at += strlen(at) + 1;
	}
	words.word[words.count] = NULL;
	return words;
}

static inline void input_free(struct input_words *words)
{
	free(words->bytes);
}

/* A descriptor of a file with these bytes, the same each time. */
static inline int input_file(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd == -1)
		fd = memfd_create("input", MFD_CLOEXEC);
	if (fd == -1 || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	return fd;
}

#endif
