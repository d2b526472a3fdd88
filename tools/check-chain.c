/* check-chain.c: from a command line to the ELF programs that it is going to
 * run, link by link, as execvp(3) and the kernel go; see check.h.
 *
 * A link that nobody can foresee (an unreadable file, an option of env's that
 * is not known here, binfmt_misc) ends the look, not the run. */
#include <config.h>

#include "check.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SCRIPTS_MAX = 5, /* the kernel's limit on `#!' upon `#!' */
	EXECS_MAX = 8,   /* env upon env, ours: enough is enough */
};

struct chain {
	const char *program; /* what the user named: every message begins with it */
	const char *search;
	const struct preload *preload;
	char **argv;         /* of the file looked at now */
	const char *file;    /* the file looked at now */
	struct elf elf;
	bool by_agent;       /* nothing can be preloaded into one of them */
	bool audit;          /* the loader of one of them has to be helped */
};

/* Begins a message: the program, and the file that matters where that is
 * another one. */
static const char *subject(const struct chain *chain)
{
	static char text[2 * PATH_MAX + 32];

	if (strcmp(chain->program, chain->file) == 0)
		return chain->program;
	snprintf(text, sizeof text, "%s runs %s, which", chain->program, chain->file);
	return text;
}

/* The errno that execve(2) would have for the file itself, or 0. */
static int executable(const char *path)
{
	struct stat file;

	if (stat(path, &file) != 0)
		return errno;
	if (!S_ISREG(file.st_mode))
		return EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* The file that execvp(3) would run. Where there is none that can be executed,
 * the first that cannot; NULL where there is nothing of that name. */
static char *find(const char *name, const char *search)
{
	char *refused = NULL;

	if (*name == '\0')
		return NULL;
	if (strchr(name, '/'))
		return strdup(name);
	if (!search)
		search = "/bin:/usr/bin";
	for (const char *end;; search = end + 1) {
		char *path;
		int error;

		end = strchrnul(search, ':');
		if (asprintf(&path, "%.*s%s%s", (int)(end - search), search,
			     end == search ? "" : "/", name) < 0)
			return NULL;
		error = executable(path);
		if (!error) {
			free(refused);
			return path;
		}
		if (error == EACCES && !refused)
			refused = path;
		else
			free(path);
		if (*end == '\0')
			return refused;
	}
}

static _Noreturn void refuse_file(const struct chain *chain, int error)
{
	struct stat file;
	bool seen = stat(chain->file, &file) == 0;

	if (error == ENOENT)
		refuse(EXIT_NOT_FOUND, "%s does not exist", subject(chain));
	if (seen && S_ISDIR(file.st_mode))
		refuse(EXIT_NOT_EXECUTABLE, "%s is a directory", subject(chain));
	if (seen && error == EACCES)
		refuse(EXIT_NOT_EXECUTABLE, "%s is not executable", subject(chain));
	refuse(EXIT_NOT_EXECUTABLE, "%s cannot be executed: %s", subject(chain), strerror(error));
}

static void check_library(const struct chain *chain, const char *name)
{
	const char *folder = chain->preload->folder;

	if (fits_library(&chain->elf, folder, name))
		return;
	if (elf_is_native(&chain->elf))
		refuse(EXIT_REFUSED, "%s/%s/%s is missing: this jitmend is incomplete", folder,
		       DL_LIB, name);
	refuse(EXIT_REFUSED, "%s is a %d-bit program for %s, and %s has no %s for that",
	       subject(chain), chain->elf.class == ELFCLASS32 ? 32 : 64,
	       elf_machine_name(&chain->elf), folder, name);
}

static void check_libraries(const struct chain *chain)
{
	check_library(chain, "libjitmend.so");
	if (chain->preload->origins)
		check_library(chain, "libjitmend-origins.so");
	if (chain->preload->audit)
		check_library(chain, "libjitmend-audit.so");
}

/* Where there is no such library, the loader says itself what it was refused. */
static void look_at_needs(struct chain *chain, int fd)
{
	if (chain->audit || chain->elf.start == START_STATIC ||
	    !help_is_needed(chain->file, fd, &chain->elf))
		return;
	chain->audit = fits_library(&chain->elf, chain->preload->folder, "libjitmend-audit.so");
}

/* What keeps a library from being preloaded: a clause to stand behind the file's
 * name; NULL: nothing. */
static const char *no_preload(const struct elf *elf)
{
	static char clause[PATH_MAX + 64];

	if (elf->start == START_STATIC)
		return "is statically linked: no library can be preloaded into it";
	if (elf->start == START_IS_LOADER || fits_loader(elf->loader))
		return NULL;
	snprintf(clause, sizeof clause, "is loaded by %s: libjitmend.so needs glibc's loader",
		 elf->loader);
	return clause;
}

/* It is for programs like itself. */
static bool has_agent(const struct chain *chain)
{
	return chain->preload->agent && elf_is_native(&chain->elf);
}

/* What the kernel maps before the program's first instruction is past mending. */
static void check_start(struct chain *chain, int fd)
{
	const char *why;

	if (has_agent(chain)) {
		chain->by_agent |= help_to_start_is_needed(fd, &chain->elf);
		return;
	}
	why = refused_at_start(fd, &chain->elf);
	if (why)
		refuse(EXIT_REFUSED, "%s %s: the policy in force does not let the kernel start it, "
		       "and there is no agent for such programs", subject(chain), why);
}

/* The agent needs no loader's help. But it has no way to mend what another loader
 * than the program's own loads. */
static void check_loader(struct chain *chain, bool agent_helps)
{
	const struct elf *elf = &chain->elf;
	const char *why = no_preload(elf);

	if (why && !(agent_helps && has_agent(chain)))
		refuse(EXIT_REFUSED, "%s %s%s", subject(chain), why,
		       elf->class == ELFCLASS32 ? ", and there is no agent for 32-bit programs" : "");
	chain->by_agent |= why != NULL;
	if (elf->start != START_LOADER)
		return;
	if (access(elf->loader, F_OK) != 0)
		refuse(EXIT_NOT_FOUND, "%s needs the loader %s, which does not exist",
		       subject(chain), elf->loader);
}

static void check_rights(const struct chain *chain)
{
	const char *gained = rights_gained(chain->file);

	if (gained)
		refuse(EXIT_REFUSED, "%s %s: the dynamic loader ignores LD_PRELOAD there",
		       subject(chain), gained);
}

/* Some other program may be registered to run such files: wine, qemu. */
static bool binfmt_misc(void)
{
	DIR *folder = opendir("/proc/sys/fs/binfmt_misc");
	struct dirent *entry;
	bool found = false;

	if (!folder)
		return false;
	while ((entry = readdir(folder)))
		found |= entry->d_name[0] != '.' && strcmp(entry->d_name, "register") != 0 &&
			 strcmp(entry->d_name, "status") != 0;
	closedir(folder);
	return found;
}

/* A script without `#!', as the shells tell: no NUL in its first line. */
static bool is_text(const char *head, size_t size)
{
	const char *newline = memchr(head, '\n', size);

	return !memchr(head, '\0', newline ? (size_t)(newline - head) : size);
}

/* The argument vector that INTERPRETER gets for the script looked at now. */
static void interpose(struct chain *chain, const char *interpreter, const char *argument)
{
	size_t n = 0, length = 0;
	char **argv;

	while (chain->argv[length])
		length++;
	argv = calloc(length + 4, sizeof *argv);
	if (!argv)
		refuse(EXIT_REFUSED, "out of memory");
	argv[n++] = strdup(interpreter);
	if (argument)
		argv[n++] = strdup(argument);
	argv[n++] = (char *)chain->file;
	for (size_t i = 1; i < length; i++)
		argv[n++] = chain->argv[i];
	chain->argv = argv;
	chain->file = argv[0];
}

/* In the order in which the answers matter: a program for another machine is
 * that before it is anything else. */
static void look_at_elf(struct chain *chain, int fd)
{
	const char *fault;

	if (!elf_identify(fd, &chain->elf, &fault))
		refuse(EXIT_NOT_EXECUTABLE, "%s %s", subject(chain), fault);
	check_libraries(chain);
	if (!elf_look(fd, &chain->elf, &fault))
		refuse(EXIT_NOT_EXECUTABLE, "%s %s", subject(chain), fault);
	check_loader(chain, true);
	check_rights(chain);
	look_at_needs(chain, fd);
	check_start(chain, fd);
}

enum link { LINK_SCRIPT, LINK_ELF, LINK_UNKNOWN };

static enum link look_at_contents(struct chain *chain, int fd)
{
	char head[SHEBANG_SIZE] = { 0 }, *interpreter, *argument;
	ssize_t size = pread(fd, head, sizeof head, 0);
	bool text;

	if (size < 0)
		return LINK_UNKNOWN;
	if (elf_magic((unsigned char *)head)) {
		look_at_elf(chain, fd);
		return LINK_ELF;
	}
	text = is_text(head, (size_t)size);
	if (shebang_parse(head, &interpreter, &argument)) {
		interpose(chain, interpreter, argument);
		return LINK_SCRIPT;
	}
	if (text) {
		/* What the kernel does not take goes to the shell, says execvp(3). */
		interpose(chain, "/bin/sh", NULL);
		return LINK_SCRIPT;
	}
	if (binfmt_misc())
		return LINK_UNKNOWN;
	refuse(EXIT_NOT_EXECUTABLE, "%s is neither an ELF program nor a script", subject(chain));
}

static enum link look_at_file(struct chain *chain)
{
	int error = executable(chain->file), fd;
	enum link link;

	if (error)
		refuse_file(chain, error);
	fd = open(chain->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		/* Executable, not readable: its rights can be seen all the same. */
		check_rights(chain);
		return LINK_UNKNOWN;
	}
	link = look_at_contents(chain, fd);
	close(fd);
	return link;
}

/* From the file to the ELF program that one execve(2) ends in. */
static bool follow_scripts(struct chain *chain)
{
	const char *first = chain->file;

	for (int scripts = 0; scripts <= SCRIPTS_MAX; scripts++) {
		enum link link = look_at_file(chain);

		if (link == LINK_UNKNOWN)
			return false;
		if (link == LINK_SCRIPT)
			continue;
		return true;
	}
	refuse(EXIT_REFUSED, "%s: its #! line leads to more than %d scripts, one the interpreter of the other",
	       first, SCRIPTS_MAX);
}

static bool is_env(const char *path)
{
	const char *name = strrchr(path, '/');

	return strcmp(name ? name + 1 : path, "env") == 0;
}

/* env(1) and ld.so run another program at once: the one that matters. What they
 * cannot find they say themselves, and better. */
static bool next_program(struct chain *chain)
{
	const char *file;

	if (chain->elf.start == START_IS_LOADER) {
		file = loader_argument(chain->argv);
		if (!file)
			return false;
		chain->file = file;
		return access(file, R_OK) == 0;
	}
	if (is_env(chain->file)) {
		struct env_command command = env_look(chain->argv, chain->search);

		if (!command.argv)
			return false;
		if (!chain->preload->follow)
			refuse(EXIT_REFUSED, "%s starts %s, a program of its own, which --no-children leaves alone",
			       chain->file, command.argv[0]);
		if (command.drops_preload)
			refuse(EXIT_REFUSED, "%s takes LD_PRELOAD out of the environment that it gives to %s",
			       chain->file, command.argv[0]);
		file = find(command.argv[0], command.search);
		if (!file || executable(file) != 0)
			return false;
		chain->search = command.search;
		chain->argv = command.argv;
		chain->file = file;
		return true;
	}
	return false;
}

/* ld.so loads it by itself: no `#!', no rights. */
static void look_at_loaded(struct chain *chain)
{
	const char *fault;
	int fd = open(chain->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return;
	if (elf_identify(fd, &chain->elf, &fault) && elf_is_native(&chain->elf) &&
	    elf_look(fd, &chain->elf, &fault)) {
		check_loader(chain, false);
		look_at_needs(chain, fd);
	}
	close(fd);
}

struct chain_end chain_follow(char **argv, const char *search, const struct preload *preload)
{
	static struct chain chain;

	chain = (struct chain){
		.program = argv[0], .search = search, .preload = preload, .argv = argv,
		.by_agent = preload->all, .audit = preload->audit,
	};
	chain.file = find(argv[0], search);
	if (!chain.file)
		refuse(EXIT_NOT_FOUND, "%s: no such program%s", *argv[0] ? argv[0] : "''",
		       *argv[0] ? " in PATH" : "");
	chain.program = chain.file;
	for (int execs = 0; execs < EXECS_MAX && follow_scripts(&chain); execs++) {
		bool loads = chain.elf.start == START_IS_LOADER;

		if (!next_program(&chain))
			break;
		if (loads) {
			look_at_loaded(&chain);
			break;
		}
	}
	if (chain.by_agent && preload->origins)
		refuse(EXIT_REFUSED, "%s: --origins needs a program that libraries can be preloaded into",
		       chain.program);
	return (struct chain_end){
		.file = chain.program, .sanitizer = chain.elf.sanitizer, .by_agent = chain.by_agent,
		.audit = chain.audit,
	};
}
