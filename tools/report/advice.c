/* advice.c: see advice.h. The facts of SELinux and systemd are those of
 * libjitmend(7) and jitmend-deny(1). */
#include <config.h>

#include "advice.h"

#include <string.h>

const char *const mechanism_ids[] = {
	[MECHANISM_NONE] = "none",       [MECHANISM_SELINUX] = "selinux",
	[MECHANISM_MDWE] = "mdwe",       [MECHANISM_SECCOMP] = "seccomp",
	[MECHANISM_NOEXEC_DEV] = "noexec-dev", [MECHANISM_SETTINGS] = "settings",
};

const char *const mechanism_words[] = {
	[MECHANISM_NONE] = "nobody refused",
	[MECHANISM_SELINUX] = "SELinux, by the errno",
	[MECHANISM_MDWE] = "PR_SET_MDWE (MemoryDenyWriteExecute=)",
	[MECHANISM_SECCOMP] = "a seccomp filter, by the errno",
	[MECHANISM_NOEXEC_DEV] = "/dev mounted noexec (PrivateDevices=)",
	[MECHANISM_SETTINGS] = "jitmend's own settings (--policy)",
};

const char *const answer_sentences[] = {
	[ANSWER_REFUSED] = "refused",
	[ANSWER_EXPECTED] = "known to be refused, so the kernel was not asked",
	[ANSWER_ALLOWED] = "allowed here",
	[ANSWER_UNKNOWN] = "not asked: it was mended beforehand",
};

const char *const done_sentences[] = {
	[DONE_PASSED_ON] = "passed on as asked",
	[DONE_NOT_MENDED] = "not mended",
	[DONE_MAPPED_ANONYMOUS] = "mended: anonymous memory instead of /dev/zero",
	[DONE_MOVED] = "mended: pages moved away, made executable, moved back",
	[DONE_COPIED] = "mended: an executable copy in the place of the pages",
	[DONE_SHARED] = "mended: pages in a file, mapped with all that was asked",
	[DONE_VIEWED] = "mended: pages in a file, writable or executable in turn",
	[DONE_EMULATED] = "mended: trampolines of nested functions are carried out",
};

const char *const danger_sentences[] = {
	[DANGER_DEVZERO] = "code in a private mapping of /dev/zero",
	[DANGER_EXECHEAP] = "code on the heap",
	[DANGER_EXECMOD] = "code in changed pages of a file",
	[DANGER_EXECMEM] = "memory that is written and executed",
	[DANGER_EXECSTACK] = "code on a stack",
};

#define SERVICE \
	"# systemctl edit NAME.service\n" \
	"[Service]\n" \
	"ExecStart=\n" \
	"ExecStart=/usr/bin/jitmend run --log=journald: -- PROGRAM ARGUMENT...\n"

#define MEMFD_POLICY \
	"; semodule -i NAME-code.cil; execmem stays refused\n" \
	"(type NAME_code_t)\n" \
	"(roletype object_r NAME_code_t)\n" \
	"(typeattributeset file_type (NAME_code_t))\n" \
	"(typetransition NAME_t tmpfs_t file NAME_code_t)\n" \
	"(allow NAME_code_t tmpfs_t (filesystem (associate)))\n" \
	"(allow NAME_t NAME_code_t\n" \
	"       (file (create open getattr setattr read write map execute)))\n"

#define TWO_VIEWS \
	"int fd = memfd_create(\"code\", MFD_CLOEXEC | MFD_NOEXEC_SEAL);\n" \
	"if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */\n" \
	"\tfd = memfd_create(\"code\", MFD_CLOEXEC);\n" \
	"ftruncate(fd, size);\n" \
	"rw = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);\n" \
	"rx = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);\n" \
	"close(fd);\n" \
	"/* Write at rw + n, run at rx + n. After fork() both sides share it. */\n"

#define FOR_SERVICES \
	{ MECHANISM_MDWE, \
	  "The service keeps MemoryDenyWriteExecute=: jitmend runs the program within it.", \
	  SERVICE, "MemoryDenyWriteExecute=no" }

#define FOR_FILTERS \
	{ MECHANISM_SECCOMP, \
	  "The filter stays in force: jitmend runs the program within it.", SERVICE, \
	  "MemoryDenyWriteExecute=no, or a longer SystemCallFilter=" }

const struct advice advices[] = {
	[CAUSE_DEVZERO] = {
		.id = "devzero",
		.title = "Code in a private mapping of /dev/zero",
		.danger = "A private mapping of /dev/zero is a mapping of a file. Once its pages "
			  "are written to, to make them executable counts as running a changed file "
			  "(SELinux's execmod), and where /dev is mounted noexec, as by systemd's "
			  "PrivateDevices=, it is refused from the start.",
		.change = "Ask for anonymous memory. It is the same memory, without the file, and "
			  "nothing has to be opened.",
		.sketch = "-fd = open(\"/dev/zero\", O_RDWR);\n"
			  "-code = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);\n"
			  "+code = mmap(NULL, size, PROT_READ | PROT_WRITE,\n"
			  "+            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n",
		.remedies = {
			{ MECHANISM_SELINUX,
			  "One domain may run changed pages of /dev/zero, and of no other file.",
			  "; semodule -i NAME-devzero.cil\n"
			  "(allow NAME_t zero_device_t (chr_file (read write map execute execmod)))\n",
			  "setsebool selinuxuser_execmod on" },
			{ MECHANISM_NOEXEC_DEV,
			  "The service keeps PrivateDevices=: jitmend makes the memory anonymous.",
			  SERVICE, "PrivateDevices=no" },
		},
	},
	[CAUSE_HEAP] = {
		.id = "execheap",
		.title = "Code on the heap",
		.danger = "Pages of malloc's heap are made executable. Whatever else lies in them, "
			  "now or when the memory is given out again, can then be run as code. "
			  "Fedora and openSUSE refuse it (SELinux's execheap).",
		.change = "Take memory for code from mmap, in pages of its own, and not from "
			  "malloc, posix_memalign or sbrk.",
		.sketch = "-code = malloc(size); /* or posix_memalign, sbrk */\n"
			  "+size = (size + page - 1) & ~(page - 1);\n"
			  "+code = mmap(NULL, size, PROT_READ | PROT_WRITE,\n"
			  "+            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n"
			  " write_code(code);\n"
			  " mprotect(code, size, PROT_READ | PROT_EXEC);\n"
			  "-free(code);\n"
			  "+munmap(code, size);\n",
		.remedies = {
			{ MECHANISM_SELINUX, "One domain may make its heap executable.",
			  "; semodule -i NAME-heap.cil\n"
			  "(allow NAME_t self (process (execheap)))\n",
			  "setsebool selinuxuser_execheap on" },
			FOR_SERVICES,
			FOR_FILTERS,
		},
	},
	[CAUSE_FILE] = {
		.id = "execmod",
		.title = "Code in changed pages of a file",
		.danger = "Pages of a private file mapping were changed and are made executable: "
			  "code that is in no file, under a file's name. Policies that vouch for "
			  "files refuse it (SELinux's execmod).",
		.change = "Leave the file's mapping as it is. Write the changed code to a memfd "
			  "and map that; or read it into anonymous memory. Where the pages are a "
			  "library's own and hold text relocations, link it with -Wl,-z,text and "
			  "compile what the linker names with -fPIC.",
		.sketch = "int fd = memfd_create(\"code\", MFD_CLOEXEC);\n"
			  "ftruncate(fd, size);\n"
			  "rw = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);\n"
			  "pread(file, rw, size, offset);\n"
			  "patch(rw);\n"
			  "munmap(rw, size);\n"
			  "code = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);\n",
		.remedies = {
			{ MECHANISM_SELINUX,
			  "One file gets the label for such files, or one domain may do it with "
			  "one kind of file.",
			  "semanage fcontext -a -t textrel_shlib_t FILE && restorecon FILE\n"
			  "; or: semodule -i NAME-file.cil\n"
			  "(allow NAME_t FILE_TYPE_t (file (execmod)))\n",
			  "setsebool selinuxuser_execmod on" },
			FOR_SERVICES,
			FOR_FILTERS,
		},
	},
	[CAUSE_TEXT_RELOCATION] = {
		.id = "text-relocation",
		.title = "A text relocation",
		.danger = "A library or program has addresses written into its code when it is "
			  "loaded: its pages are changed, and made executable again (SELinux's "
			  "execmod).",
		.change = "Compile all of it as position-independent code. The linker names what "
			  "is not; in assembler, go through the PLT and the GOT.",
		.sketch = "cc -fPIC -c part.c\n"
			  "cc -shared -Wl,-z,text -o library.so part.o # an error, not a relocation\n"
			  "readelf -d library.so | grep TEXTREL        # prints nothing\n",
		.remedies = {
			{ MECHANISM_SELINUX, "One file gets the label for such files.",
			  "semanage fcontext -a -t textrel_shlib_t FILE && restorecon FILE\n",
			  "setsebool selinuxuser_execmod on" },
			FOR_SERVICES,
			FOR_FILTERS,
		},
	},
	[CAUSE_BOTH_AT_ONCE] = {
		.id = "execmem-rwx",
		.title = "Memory that is writable and executable at once",
		.danger = "Whoever can make the program write there, by a bug of it, can make it run "
			  "what was written. SELinux's execmem, PR_SET_MDWE and systemd's "
			  "MemoryDenyWriteExecute= refuse it.",
		.change = "Map the memory twice, as a memfd: a view to write through, and another "
			  "one to run.",
		.sketch = TWO_VIEWS,
		.remedies = {
			{ MECHANISM_SELINUX,
			  "One domain may run code from memfds of its own, mapped by the program or "
			  "by jitmend run.",
			  MEMFD_POLICY, "setsebool deny_execmem off, or process execmem" },
			FOR_SERVICES,
			FOR_FILTERS,
		},
	},
	[CAUSE_IN_TURN] = {
		.id = "execmem-turns",
		.title = "Written memory that becomes executable",
		.danger = "Memory is written and then, by mprotect, made executable. A policy "
			  "cannot tell a compiler's output from an intruder's: SELinux's execmem, "
			  "PR_SET_MDWE and systemd's MemoryDenyWriteExecute= refuse it.",
		.change = "Never give a mapping PROT_EXEC that could be written to. Map the memory "
			  "twice, as a memfd: a view to write through, and another one to run. Where "
			  "there has to be one address, map the memfd there again with "
			  "mmap(MAP_FIXED), writable or executable in turn.",
		.sketch = TWO_VIEWS,
		.remedies = {
			{ MECHANISM_SELINUX,
			  "One domain may run code from memfds of its own, mapped by the program or "
			  "by jitmend run.",
			  MEMFD_POLICY, "setsebool deny_execmem off, or process execmem" },
			FOR_SERVICES,
			FOR_FILTERS,
		},
	},
	[CAUSE_STACK] = {
		.id = "execstack",
		.title = "Code on a stack",
		.danger = "A stack is made executable: every buffer on it could then hold code "
			  "that an overflow runs. openSUSE refuses it (SELinux's execstack). "
			  "jitmend carries out what gcc makes there for nested functions, where a "
			  "program's or library's file asks for such stacks, and nothing else.",
		.change = "Mostly nobody wanted it: one object without a note of what stack it "
			  "needs, or a nested function in GNU C whose address is taken, is enough. "
			  "Mark the one, rewrite the other, and let the linker say so from now on.",
		.sketch = ".section .note.GNU-stack,\"\",@progbits # the last line of each .s file\n"
			  "cc -Wtrampolines -c part.c             # names such nested functions\n"
			  "cc -Wl,-z,noexecstack -o program ...\n"
			  "readelf -lW program | grep GNU_STACK   # RW, and not RWE\n",
		.remedies = {
			{ MECHANISM_SELINUX,
			  "One domain may have it. Where only a library's mark is wrong, clear that "
			  "instead: patchelf --clear-execstack FILE.",
			  "; semodule -i NAME-stack.cil\n"
			  "(allow NAME_t self (process (execstack)))\n",
			  "setsebool selinuxuser_execstack on" },
		},
	},
	[CAUSE_SEGMENT] = {
		.id = "shmat",
		.title = "An executable segment of System V shared memory",
		.danger = "A shared segment is attached with SHM_EXEC: another process could write "
			  "what this one runs. SELinux's execmem and systemd's "
			  "MemoryDenyWriteExecute= refuse it, and jitmend does not mend it.",
		.change = "Use a memfd in its place, writable in one mapping and executable in "
			  "another.",
		.sketch = TWO_VIEWS,
		.remedies = {
			{ MECHANISM_SELINUX,
			  "One domain may run code from memfds of its own, once the program uses one.",
			  MEMFD_POLICY, "process execmem" },
		},
	},
};

/* ld.so makes a library's text writable, and executable again. */
static bool is_loader(const struct model *model, const struct way *way)
{
	const char *path, *name;

	if (!way->stack->count || way->stack->frames[0].module == NONE)
		return false;
	path = model->modules[way->stack->frames[0].module].path;
	name = strrchr(path, '/');
	name = name ? name + 1 : path;
	return strncmp(name, "ld-linux", 8) == 0 || strncmp(name, "ld-2.", 5) == 0;
}

enum cause cause_of_way(const struct model *model, const struct way *way)
{
	const struct site *site = &model->sites[way->site];
	bool writable = way->protection[0] && way->protection[1] == 'w';

	if (site->call == CALL_SHMAT)
		return CAUSE_SEGMENT;
	switch (site->danger) {
	case DANGER_DEVZERO: return CAUSE_DEVZERO;
	case DANGER_EXECHEAP: return CAUSE_HEAP;
	case DANGER_EXECSTACK: return CAUSE_STACK;
	case DANGER_EXECMOD: return is_loader(model, way) ? CAUSE_TEXT_RELOCATION : CAUSE_FILE;
	case DANGER_EXECMEM:
		if (writable && site->call == CALL_MPROTECT && is_loader(model, way))
			return CAUSE_TEXT_RELOCATION;
		/* fall through */
	default: return writable ? CAUSE_BOTH_AT_ONCE : CAUSE_IN_TURN;
	}
}

enum cause cause_of_site(const struct model *model, const struct site *site)
{
	struct way none = { .site = (uint32_t)(site - model->sites), .protection = "--x",
			    .stack = &(struct stack){ .count = 0 } };

	return cause_of_way(model, site->ways == NONE ? &none : &model->ways[site->ways]);
}

static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += length)
		if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return true;
	return false;
}

/* Where the user said what is refused, the words tell; else the errno does. */
static enum mechanism by_errno(const struct model *model, const struct way *way)
{
	bool dev_zero = model->sites[way->site].danger == DANGER_DEVZERO;

	if (way->refusal == REFUSAL_EPERM)
		return dev_zero ? MECHANISM_NOEXEC_DEV : MECHANISM_SECCOMP;
	return way->refusal == REFUSAL_EACCES ? MECHANISM_SELINUX : MECHANISM_NONE;
}

/* The first errno of that danger in that process says what was learnt there. */
static enum mechanism learnt(const struct model *model, const struct way *way)
{
	for (uint32_t i = 0; i < model->way_count; i++) {
		const struct way *other = &model->ways[i];

		if (other->process == way->process && other->answer == ANSWER_REFUSED &&
		    model->sites[other->site].danger == model->sites[way->site].danger)
			return by_errno(model, other);
	}
	return MECHANISM_NONE;
}

enum mechanism mechanism_of_way(const struct model *model, const struct way *way)
{
	const struct process *process =
		way->process == NONE ? NULL : &model->processes[way->process];
	enum danger danger = model->sites[way->site].danger;

	if (way->answer == ANSWER_ALLOWED)
		return MECHANISM_NONE;
	if (process && process->mdwe && danger != DANGER_EXECSTACK)
		return MECHANISM_MDWE;
	if (way->answer == ANSWER_REFUSED)
		return by_errno(model, way);
	if (!process || !*process->policy)
		return MECHANISM_NONE;
	if (strcmp(process->policy, "auto") == 0) {
		enum mechanism known = learnt(model, way);

		/* What was known from the start is a filter. */
		return known != MECHANISM_NONE || way->answer == ANSWER_UNKNOWN ?
			       known : MECHANISM_SECCOMP;
	}
	if (has_word(process->policy, "mdwe"))
		return MECHANISM_MDWE;
	if (has_word(process->policy, "seccomp"))
		return MECHANISM_SECCOMP;
	if (danger == DANGER_DEVZERO && has_word(process->policy, "noexec-dev"))
		return MECHANISM_NOEXEC_DEV;
	return MECHANISM_SETTINGS;
}

unsigned mechanisms_of_site(const struct model *model, const struct site *site)
{
	unsigned found = 0;

	for (uint32_t way = site->ways; way != NONE; way = model->ways[way].next)
		found |= 1u << mechanism_of_way(model, &model->ways[way]);
	return found;
}

bool remedy_fits(const struct remedy *remedy, unsigned mechanisms)
{
	/* The settings stand for whatever the user has in mind: SELinux, mostly. */
	const unsigned nobody = 1u << MECHANISM_NONE | 1u << MECHANISM_SETTINGS;

	if (!(mechanisms & ~nobody))
		return remedy->mechanism != MECHANISM_SECCOMP;
	return mechanisms & 1u << remedy->mechanism;
}
