/* deny-options.c: any command line of `jitmend deny', which ends the process where it
 * is a bad one: here it comes back.
 * Sources: src/text.c src/memory.c src/request.c */
#include "input.h"

#include <setjmp.h>

static jmp_buf ended;
static _Noreturn void end(int status)
{
	longjmp(ended, 1 + status);
}

#include <stdlib.h>
#define exit end
#include "../../../tools/deny-options.c"
#undef exit

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input_words words = input_words(data, size);
	struct deny_settings settings = { 0 };

	if (!setjmp(ended) && words.count) {
		deny_options(words.count, words.word, &settings);
		if (!settings.policies || !settings.program || !settings.program[0])
			abort();
	}
	input_free(&words);
	return 0;
}
