/* start.c: from the kernel's first instruction to the program's. See agent.h. */
#include "agent.h"

#include <asm/prctl.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "../decoder.h"
#include "../engine.h"
#include "../journal.h"
#include "../memory.h"
#include "../settings.h"
#include "../signals.h"
#include "../store.h"
#include "../sys.h"
#include "../text.h"
#include "../vma.h"
#include "become.h"
#include "filter.h"
#include "image.h"
#include "trap.h"

enum { EXIT_REFUSED = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

__asm__(ARCH_AGENT_START("agent_start"));

/* One line on standard error, "jitmend: NAME: WHY", and the end of the process. */
static _Noreturn void refuse(int status, const char *name, const char *why)
{
	char line[PATH_MAX + 128];
	struct text text = text_in(line, sizeof line);

	text_add(&text, "jitmend: ");
	text_add_quoted(&text, name, PATH_MAX);
	text_add(&text, ": ");
	text_add(&text, why);
	sys_write(2, line, text_end_line(&text));
	for (;;)
		SYS_CALL(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

/* What an errno means to who starts a program; never NULL. */
static const char *why_not(long error)
{
	switch (error) {
	case -ENOENT:
		return "no such file";
	case -EACCES:
		return "permission denied";
	case -ENOEXEC:
		return "no program of this machine";
	case -ENOMEM:
		return "no room for it in memory";
	case -EPERM:
		return "not permitted";
	default:
		return "cannot be executed";
	}
}

/* ------------------------------------------------------------------ stack */

/* What the kernel has put on the stack, as far as it is the program's. */
struct start {
	uintptr_t *stack;      /* argc, and all that follows it */
	char **arguments;
	char **environment;
	Elf64_auxv_t *auxv;
};

static struct start read_stack(uintptr_t *stack)
{
	struct start start = { .stack = stack };
	char **at;

	start.arguments = (char **)(stack + 1);
	start.environment = start.arguments + stack[0] + 1;
	for (at = start.environment; *at; at++)
		;
	start.auxv = (Elf64_auxv_t *)(at + 1);
	return start;
}

static Elf64_auxv_t *auxv_find(const struct start *start, uint64_t type)
{
	Elf64_auxv_t *entry;

	for (entry = start->auxv; entry->a_type != AT_NULL; entry++)
		if (entry->a_type == type)
			return entry;
	return NULL;
}

static void auxv_set(const struct start *start, uint64_t type, uintptr_t value)
{
	Elf64_auxv_t *entry = auxv_find(start, type);

	if (entry)
		entry->a_un.a_val = value;
}

static uintptr_t auxv_get(const struct start *start, uint64_t type)
{
	Elf64_auxv_t *entry = auxv_find(start, type);

	return entry ? entry->a_un.a_val : 0;
}

/* ---------------------------------------------------------------- the host */

static struct settings settings;

static const struct door door = {
	.report = journal_event,
	.guard_faults = signals_guard,
	.watch_writes = filter_watch_writes,
	.watch_mappings = filter_watch_mappings,
};

/* The program may write over its environment. */
static void keep_log_name(void)
{
	static char name[PATH_MAX];
	size_t length = settings.log ? string_length(settings.log) : 0;

	if (length == 0 || length >= sizeof name)
		return;
	memcpy(name, settings.log, length + 1);
	settings.log = name;
}

/* -------------------------------------------------------------------- decoder */

static decode *zydis;

/* Zydis was built with a stack protector, which reads a word of the thread's control
 * block; and whose that is, or whether there is one, only the program knows. So it is
 * called with one of ours, with all signals but faults blocked, as they are in the fault
 * handler. */
static uintptr_t control_block[16];

static void enter_library(uintptr_t *before)
{
	SYS_CALL(SYS_arch_prctl, ARCH_GET_FS, before, 0, 0, 0, 0);
	SYS_CALL(SYS_arch_prctl, ARCH_SET_FS, control_block, 0, 0, 0, 0);
}

static void leave_library(uintptr_t before)
{
	SYS_CALL(SYS_arch_prctl, ARCH_SET_FS, before, 0, 0, 0, 0);
}

static enum decoded decode_in_library(const void *bytes, size_t length,
				      struct ZydisDecodedInstruction_ *instruction,
				      struct ZydisDecodedOperand_ *operands)
{
	enum decoded decoded;
	uintptr_t before = 0;

	enter_library(&before);
	decoded = zydis(bytes, length, instruction, operands);
	leave_library(before);
	return decoded;
}

static void begin_decoder(void)
{
	uintptr_t before = 0;

	decoder_find();
	enter_library(&before);
	decoder_open(&zydis);
	leave_library(before);
	if (zydis)
		store_begin(decode_in_library);
}

/* What looks at mappings keeps its descriptor from the first time on: now, as long as
 * there is one to be had. */
static void keep_looking(void)
{
	struct vma vma;

	if (engine_may_mend_with_views())
		vma_look((uintptr_t)&settings, &vma);
}

static void begin_engine(const struct start *start)
{
	struct settings_error error = { 0 };

	settings = settings_read(start->environment, auxv_get(start, AT_SECURE) != 0, &error);
	if (error.variable) {
		journal_bad_setting(&error);
		return;
	}
	if (settings.mode == MODE_OFF || settings.policy & POLICY_NONE)
		return;
	keep_log_name();
	engine_begin(&settings, &door);
	journal_begin(&settings, become_program());
	if (settings.mode == MODE_MEND)
		signals_begin();
	if (engine_mends_with_views())
		begin_decoder();
	keep_looking();
}

static const char *last_part(const char *path)
{
	const char *last = path;

	for (; *path; path++)
		if (*path == '/' && path[1])
			last = path + 1;
	return last;
}

static int open_file(const char *path)
{
	long fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);

	if (sys_failed(fd))
		refuse(fd == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE, path, why_not(fd));
	return (int)fd;
}

static void map(const char *path, int fd, struct image *image)
{
	long result = image_map(fd, image);

	if (result)
		refuse(EXIT_NOT_EXECUTABLE, path, why_not(result));
	sys_close(fd);
}

/* The kernel has given the stack that the agent's own file asks for. What it refuses now
 * is mended as what the dynamic loader asks for stacks is. */
static void make_stack_executable(const struct start *start)
{
	struct request request = request_mprotect(page_down((uintptr_t)start->stack), PAGE_BYTES,
						  PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN,
						  -1, 0);

	request.by_loader = true;
	engine_mprotect(&request);
}

/* What /proc tells of the process, and where its heap begins: behind the program, as
 * its authors know it. Kernels without CONFIG_CHECKPOINT_RESTORE have no such call;
 * the heap is then behind the agent. */
static void tell_kernel(const struct start *start, const struct image *image)
{
	uintptr_t heap = page_up(image->end);
	char **last = start->arguments, **variable = start->environment;
	struct prctl_mm_map map = {
		.start_code = image->code, .end_code = image->code_end,
		.start_data = image->data, .end_data = image->data_end,
		.start_brk = heap, .brk = heap,
		.start_stack = (uintptr_t)start->stack,
		.arg_start = (uintptr_t)start->arguments[0],
		.auxv = (__u64 *)start->auxv,
		.exe_fd = ~0U,
	};

	while (last[0] && last[1])
		last++;
	map.arg_end = last[0] ? (uintptr_t)last[0] + string_length(last[0]) + 1 : map.arg_start;
	map.env_start = map.env_end = map.arg_end;
	for (; *variable; variable++)
		map.env_end = (uintptr_t)*variable + string_length(*variable) + 1;
	while (start->auxv[map.auxv_size / sizeof *start->auxv].a_type != AT_NULL)
		map.auxv_size += sizeof *start->auxv;
	map.auxv_size += sizeof *start->auxv;
	SYS_CALL(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0, 0);
}

/* The agent's own words go: what is left is as if the kernel had started NAME. */
static struct start leave_out_words(struct start start, const char *name)
{
	start.stack[AGENT_WORDS] = start.stack[0] - AGENT_WORDS;
	start.stack += AGENT_WORDS;
	start.arguments = (char **)(start.stack + 1);
	auxv_set(&start, AT_EXECFN, (uintptr_t)name);
	return start;
}

static void set_auxv(const struct start *start, const struct image *image, uintptr_t loader_base)
{
	auxv_set(start, AT_PHDR, image->headers);
	auxv_set(start, AT_PHNUM, image->header_count);
	auxv_set(start, AT_BASE, loader_base);
	auxv_set(start, AT_ENTRY, image->entry);
}

static bool is_word(const char *argument, const char *word)
{
	return string_equal(argument, word);
}

/* The descriptor in /proc/self/fd/N... that the program before has left for this. */
static void close_given(const char *path)
{
	const char *digits = string_after(path, "/proc/self/fd/");
	int fd = 0;

	if (!digits)
		return;
	for (; *digits >= '0' && *digits <= '9'; digits++)
		fd = fd * 10 + (*digits - '0');
	sys_close(fd);
}

/* The filter comes first, then the agent again, as with every program after. */
static _Noreturn void begin(const struct start *start, const char *path)
{
	struct exec exec = {
		.folder = AT_FDCWD,
		.path = (long)path,
		.arguments = (long)(start->arguments + AGENT_WORDS),
		.environment = (long)start->environment,
	};
	long result = filter_install();

	if (result)
		refuse(EXIT_REFUSED, "seccomp(2)", why_not(result));
	result = become(&exec);
	refuse(result == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE, path,
		     why_not(result));
}

static _Noreturn void go_on(struct start start, bool given)
{
	static struct image image, loader;
	const char *path = start.arguments[2], *name = start.arguments[3];
	int fd = open_file(path);

	SYS_CALL(SYS_prctl, PR_SET_NAME, last_part(name), 0, 0, 0, 0);
	become_note_program(fd);
	begin_engine(&start);
	trap_begin();
	map(path, fd, &image);
	if (given)
		close_given(path);
	if (image.loader[0])
		map(image.loader, open_file(image.loader), &loader);
	if (image.executable_stack)
		make_stack_executable(&start);
	start = leave_out_words(start, name);
	set_auxv(&start, &image, loader.base);
	tell_kernel(&start, &image);
	ARCH_AGENT_ENTER(start.stack, image.loader[0] ? loader.entry : image.entry);
}

_Noreturn void agent_start(uintptr_t *stack) __attribute__((used));
_Noreturn void agent_start(uintptr_t *stack)
{
	struct start start = read_stack(stack);
	const char *mode = stack[0] > AGENT_WORDS ? start.arguments[1] : "";

	become_begin((const char *)auxv_get(&start, AT_EXECFN));
	if (is_word(mode, "first"))
		begin(&start, start.arguments[2]);
	if (is_word(mode, "again") || is_word(mode, "again-fd"))
		go_on(start, is_word(mode, "again-fd"));
	refuse(EXIT_REFUSED, "jitmend-agent", "is called by `jitmend run', which see");
}
