/* shebang.c: the first bytes of any file as a script's.
 * Sources: tools/check-shebang.c */
#include "input.h"

#include "../../../tools/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *head = calloc(1, SHEBANG_SIZE), *interpreter = NULL, *argument = NULL;

	memcpy(head, data, size < SHEBANG_SIZE ? size : SHEBANG_SIZE);
	if (shebang_parse(head, &interpreter, &argument) &&
	    (!*interpreter || strlen(interpreter) >= SHEBANG_SIZE ||
	     (argument && argument <= interpreter)))
		abort();
	free(head);
	return 0;
}
