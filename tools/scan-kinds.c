/* scan-kinds.c: what there is to find in an ELF file, in words. See scan.h. */
#include <config.h>

#include "scan.h"

/* What nothing can be preloaded into the agent of `jitmend run' mends. */
#ifdef HAVE_AGENT
#define LEVEL_UNLOADABLE LEVEL_NOTE
#else
#define LEVEL_UNLOADABLE LEVEL_ERROR
#endif

const struct kind_words kind_words[KINDS] = {
	[KIND_TEXTREL] = {
		.name = "textrel", .level = LEVEL_WARNING, .title = "text relocations",
		.policies = "execmem, mdwe, seccomp",
		.limit = "text relocations are mended on x86_64 and i386 alone",
		.helped = true,
		.remedy = "compile with -fPIC (-fPIE for a program); link with -Wl,-z,text to be told what is left",
	},
	[KIND_EXECSTACK] = {
		.name = "execstack", .level = LEVEL_WARNING, .title = "executable stack",
		.policies = "execstack, execmem, mdwe, seccomp",
		.limit = "on a stack that is not executable the code of gcc's nested functions is carried out, and no other",
		.remedy = "link with -Wl,-z,noexecstack; avoid nested functions whose address is taken",
	},
	[KIND_NO_GNU_STACK] = {
		.name = "no-gnu-stack", .level = LEVEL_WARNING, .title = "no PT_GNU_STACK header",
		.policies = "execstack, execmem, mdwe, seccomp",
		.limit = "where a missing PT_GNU_STACK would make stacks executable, the code of gcc's nested functions is carried out, and no other",
		.remedy = "give each assembler file a section .note.GNU-stack, or link with -Wl,-z,noexecstack",
	},
	[KIND_RWX] = {
		.name = "rwx", .level = LEVEL_WARNING,
		.title = "writable and executable segment",
		.policies = "execmem, mdwe, seccomp",
		.limit = "segments that are writable and executable are mended on x86_64 alone, and those of libraries on i386",
		.helped = true,
		.remedy = "link without -N and --omagic; keep code and data apart in the linker script (-Wl,--warn-rwx-segments)",
	},
	[KIND_RAW_SYSCALL] = {
		.name = "raw-syscall", .level = LEVEL_WARNING,
		.title = "system calls past the C library",
		.policies = "execheap, execmod, execmem, execstack, mdwe, seccomp",
		.limit = "a system-call instruction of its own goes past libjitmend.so; jitmend run --all watches these, too",
		.remedy = "call mmap, mprotect and their kin, or syscall(2), through the C library",
	},
	[KIND_CALLS] = {
		.name = "calls", .level = LEVEL_NOTE,
		.title = "imports of calls that may ask for executable memory",
	},
	[KIND_STATIC] = {
		.name = "static", .level = LEVEL_UNLOADABLE, .title = "statically linked program",
		.limit = "it is statically linked: no library can be preloaded into it",
		.remedy = "link dynamically",
	},
	[KIND_PACKED] = {
		.name = "packed", .level = LEVEL_ERROR, .title = "packed program",
		.policies = "execmem, mdwe, seccomp",
		.limit = "it is packed: it unpacks itself into executable memory before anything else runs",
		.remedy = "unpack it (upx -d)",
	},
	[KIND_GO] = {
		.name = "go", .level = LEVEL_NOTE, .title = "made by the Go compiler",
	},
	[KIND_SETUID] = {
		.name = "setuid", .level = LEVEL_ERROR, .title = "set-user-ID program",
		.limit = "it is set-user-ID: the dynamic loader ignores LD_PRELOAD, but for its owner",
	},
	[KIND_SETGID] = {
		.name = "setgid", .level = LEVEL_ERROR, .title = "set-group-ID program",
		.limit = "it is set-group-ID: the dynamic loader ignores LD_PRELOAD, but for its group",
	},
	[KIND_FILECAPS] = {
		.name = "filecaps", .level = LEVEL_ERROR, .title = "file capabilities",
		.limit = "it has file capabilities: the dynamic loader ignores LD_PRELOAD, but for root",
	},
	[KIND_LOADER] = {
		.name = "loader", .level = LEVEL_UNLOADABLE, .title = "another loader than glibc's",
		.limit = "libjitmend.so needs glibc's loader",
	},
	[KIND_FOREIGN] = {
		.name = "foreign", .level = LEVEL_ERROR, .title = "for another machine",
		.limit = "there is no libjitmend.so for that machine here",
	},
	[KIND_NEEDED] = {
		.name = "needed", .level = LEVEL_NOTE, .title = "needed library that is not found",
	},
};

const char *level_name(enum level level)
{
	static const char *const names[] = { "note", "warning", "error" };

	return names[level];
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = { "nothing", "works", "partly", "cannot" };

	return names[verdict];
}
