/* arch/code.c: the functions that the processors' headers have in assembler. */
#include "../sys.h"

__asm__(ARCH_CODE);
