/* settings.c: any words in the environment, and the log's name that they give.
 * Sources: src/settings.c src/text.c src/memory.c src/request.c */
#include "input.h"

#include "../../../src/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input_words words = input_words(data, size);
	struct settings_error error;
	struct settings settings = settings_read(words.word, false, &error);
	char path[40];

	if (error.variable && settings.mode != MODE_OFF)
		abort();
	if (settings.frames > SETTINGS_MOST_FRAMES)
		abort();
	if (settings.log && settings_log_path(settings.log, 12345, path, sizeof(path)) &&
	    strlen(path) >= sizeof(path))
		abort();
	input_free(&words);
	return 0;
}
