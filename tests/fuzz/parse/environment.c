/* environment.c: any command line as one of env(1), and of ld.so.
 * Sources: tools/check-env.c */
#include "input.h"

#include "../../../tools/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input_words words = input_words(data, size);

	if (words.count) {
		struct env_command command = env_look(words.word, "/usr/bin:/bin");

		if (command.argv && !command.argv[0])
			abort();
		loader_argument(words.word);
	}
	input_free(&words);
	return 0;
}
