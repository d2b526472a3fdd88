/* request.c: calls as requests, and names for the words of request.h. */
#include "request.h"

#include <errno.h>

struct request request_mmap(uintptr_t address, size_t length, int protection, int flags, int fd,
			    int64_t offset, uintptr_t call_site)
{
	return (struct request){
		.call = CALL_MMAP,
		.address = address,
		.length = length,
		.protection = protection,
		.pkey = -1,
		.flags = flags,
		.fd = fd,
		.offset = offset,
		.call_site = call_site,
	};
}

struct request request_mprotect(uintptr_t address, size_t length, int protection, int pkey,
				uintptr_t call_site)
{
	return (struct request){
		.call = CALL_MPROTECT,
		.address = address,
		.length = length,
		.protection = protection,
		.pkey = pkey,
		.fd = -1,
		.call_site = call_site,
	};
}

struct request request_shmat(int id, uintptr_t address, int flags, uintptr_t call_site)
{
	return (struct request){
		.call = CALL_SHMAT,
		.address = address,
		.pkey = -1,
		.flags = flags,
		.fd = id,
		.call_site = call_site,
	};
}

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
		[CALL_EXECUTE] = "execute",
	};
	return (unsigned)call < CALL_COUNT ? names[call] : "?";
}

const char *error_name(int error)
{
	return error == EPERM ? "EPERM" : "EACCES";
}
