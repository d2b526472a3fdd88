/* request.c: names for the words of request.h. */
#include "request.h"

const char *danger_name(enum danger danger)
{
	static const char *const names[DANGER_COUNT] = {
		[DANGER_NONE] = "nothing",
		[DANGER_DEVZERO] = "devzero",
		[DANGER_EXECHEAP] = "execheap",
		[DANGER_EXECMOD] = "execmod",
		[DANGER_EXECMEM] = "execmem",
		[DANGER_EXECSTACK] = "execstack",
	};
	return (unsigned)danger < DANGER_COUNT ? names[danger] : "?";
}

const char *call_name(enum call call)
{
	static const char *const names[CALL_COUNT] = {
		[CALL_MMAP] = "mmap",
		[CALL_MPROTECT] = "mprotect",
		[CALL_SHMAT] = "shmat",
	};
	return (unsigned)call < CALL_COUNT ? names[call] : "?";
}
