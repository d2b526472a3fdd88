/* elf.c: any file as a program that is going to be run.
 * Sources: tools/check-elf.c */
#include "input.h"

#include "../../../tools/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = input_file(data, size);
	const char *fault = NULL;
	struct elf elf;

	if (size < 4 || !elf_magic(data))
		return 0;
	if (!elf_identify(fd, &elf, &fault) ? !fault : !elf_machine_name(&elf))
		abort();
	if (!fault || !elf_is_native(&elf))
		return 0;
	if (!elf_look(fd, &elf, &fault) && !fault)
		abort();
	return 0;
}
