/* check.h: the parts of jitmend-check, the helper that looks at a program and
 * at the user's words before `jitmend run' starts anything.
 *
 * A short-lived process of its own, one thread: libc is free to use, memory is
 * given back by its end. Whatever cannot work ends it at once, by refuse().
 * Files are read with pread: they are anybody's, and may shrink meanwhile. */
#ifndef JITMEND_CHECK_H
#define JITMEND_CHECK_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Exit statuses, as env(1) has them. */
enum {
	EXIT_REFUSED = 125,
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
};

/* Says why in one line on standard error, and exits. */
_Noreturn void refuse(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ------------------------------------------------------------ check-elf.c */

enum elf_start {
	START_LOADER,    /* by the dynamic loader that it names */
	START_STATIC,    /* by itself: nothing can be preloaded */
	START_IS_LOADER, /* it is glibc's dynamic loader, run as a program */
};

struct elf {
	unsigned char class;              /* ELFCLASS32 or ELFCLASS64 */
	bool other_endian;
	uint16_t machine;                 /* EM_*; unread where other_endian */
	enum elf_start start;
	char loader[PATH_MAX];            /* PT_INTERP; START_LOADER only */
	char sanitizer[NAME_MAX + 1];     /* soname of a runtime that must be loaded first */
};

/* True for what begins like an ELF file, whole or not. */
bool elf_magic(const unsigned char *head);

/* Which class and machine the file is for: class, other_endian and machine
 * above. False: a header that is none, and *FAULT says why, a clause to stand
 * behind the file's name. */
bool elf_identify(int fd, struct elf *elf, const char **fault);

/* The rest, of a file that has been identified and is in this machine's byte
 * order. False where the kernel would not run it, and *FAULT says why. */
bool elf_look(int fd, struct elf *elf, const char **fault);

/* The class, byte order and machine of this helper, hence of the library that
 * was built with it. A name may be good only until this thread asks for the next. */
bool elf_is_native(const struct elf *elf);
const char *elf_machine_name(const struct elf *elf);

/* What the loader does with a file, and what that needs. */
struct elf_loading {
	bool textrel;      /* it changes the text */
	bool writable_code; /* a segment is writable and executable */
	bool stack;        /* stacks are to be executable, or nothing is said of them */
	bool stack_unsaid; /* nothing is */
	char *runpath;     /* DT_RUNPATH, or else DT_RPATH; or NULL */
	char **needed;     /* NULL behind the last */
};

/* Of a file that has been identified. False: it is malformed, and there may be more to
 * tell. elf_loading_free() in any case. */
bool elf_look_at_loading(int fd, const struct elf *elf, struct elf_loading *loading);
void elf_loading_free(struct elf_loading *loading);

/* ----------------------------------------------------------- check-help.c */

/* Does the loader do what a policy may refuse it, for the program at PATH, which is
 * open as FD, before any library comes to life? Then it needs libjitmend-audit.so. */
bool help_is_needed(const char *path, int fd, const struct elf *elf);

/* Would the kernel refuse to start the program, for a segment that is writable and
 * executable? It says no more than that it died. */
bool help_to_start_is_needed(int fd, const struct elf *elf);

/* The same of what no agent can help: the kernel makes all of a program of i386
 * executable that does not say what its stack is. A clause to stand behind the file's
 * name; NULL: it starts. */
const char *refused_at_start(int fd, const struct elf *elf);

/* ----------------------------------------------------------- check-fits.c */

/* Is there a library NAME (libjitmend.so) below FOLDER for the program that has
 * been identified? */
bool fits_library(const struct elf *elf, const char *folder, const char *name);

/* Does the loader at PATH (PT_INTERP) load what was linked with glibc? One that
 * is not there may. */
bool fits_loader(const char *path);

/* --------------------------------------------------------- check-rights.c */

/* Would the kernel set AT_SECURE for the ELF program at PATH? Then the loader
 * drops LD_PRELOAD. NULL: no; otherwise a clause to stand behind its name. */
const char *rights_gained(const char *path);

/* ---------------------------------------------------------- check-chain.c */

/* What the program is going to get. */
struct preload {
	const char *folder; /* that holds $LIB/libjitmend.so */
	bool origins;       /* libjitmend-origins.so as well, from the same place */
	bool follow;        /* programs started by the program get it too */
	bool agent;         /* there is jitmend-agent, for what no library can be preloaded into */
	bool all;           /* which is wanted for every program */
	bool audit;         /* libjitmend-audit.so, too */
};

/* What the wrapper has to know. */
struct chain_end {
	const char *file;      /* that execvp(3) would execute */
	const char *sanitizer; /* soname of the runtime that has to come before ours, or "" */
	bool by_agent;         /* some program cannot be preloaded into, or none should be */
	bool audit;            /* libjitmend-audit.so is wanted, or needed by one of them */
};

/* Follows the command line ARGV through PATH, `#!' lines, env(1) and ld.so to
 * the ELF programs that are going to run, and refuses what cannot work. SEARCH
 * is PATH. */
struct chain_end chain_follow(char **argv, const char *search, const struct preload *preload);

/* ---------------------------------------------------------- check-shebang.c */

/* The kernel's reading of a file's first 256 bytes (shorter files: followed by
 * zeros), which are changed. False: no line that it would take. *ARGUMENT is
 * NULL where there is none. */
enum { SHEBANG_SIZE = 256 };
bool shebang_parse(char *head, char **interpreter, char **argument);

/* ------------------------------------------------------------ check-env.c */

/* What an env(1) command line is going to run. */
struct env_command {
	char **argv;          /* the program and its arguments; NULL: cannot tell */
	const char *search;   /* the PATH that it will be looked up in; NULL: unset */
	bool drops_preload;   /* LD_PRELOAD will not reach the program */
};

struct env_command env_look(char **argv, const char *search);

/* The same for ld.so: the program that it is told to load, or NULL. */
const char *loader_argument(char **argv);

/* ---------------------------------------------------- check-environment.c */

/* A shell cannot carry every variable (a name like BASH_FUNC_module%% is none
 * to it), sets PWD, and so on. Compares our environment with the one that the
 * wrapper, process PID, was started with, and prints shell commands: `unset'
 * for what was added; what was lost goes before the program's name, as env(1)
 * takes it. */
void environment_print(int pid);

/* STRING as one word of the shell, on standard output. */
void print_quoted(const char *string);

/* ------------------------------------------------------------ check-log.c */

/* Can the library write there? OPTION is what the message begins with. */
void log_check(const char *option, const char *pattern, int pid);

#endif
