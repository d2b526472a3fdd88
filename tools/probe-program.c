/* probe-program.c: the context that a program would get. See probe.h.
 *
 * Policies of the kernel (MDWE, filters, mounts) pass over exec as they are here.
 * SELinux may change the domain, by the label of the file that is named, a script
 * as well as its interpreter: what the policy says to that, and what the new
 * domain may do, the kernel tells whom the policy lets ask. Nobody can try it from
 * here: what is tried in another domain would have to run there. */
#include <config.h>

#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "check.h"

#define SELINUXFS "/sys/fs/selinux/"

/* ------------------------------------------------- what jitmend run would say */

/* As execvp looks. */
static bool find(const char *name, char path[static PATH_MAX])
{
	const char *search = getenv("PATH");

	if (strchr(name, '/')) {
		snprintf(path, PATH_MAX, "%s", name);
		return access(path, X_OK) == 0;
	}
	for (const char *at = search ? search : "/bin:/usr/bin", *end;; at = end + 1) {
		end = strchrnul(at, ':');
		snprintf(path, PATH_MAX, "%.*s%s%s", (int)(end - at), at, end == at ? "" : "/",
			 name);
		if (access(path, X_OK) == 0)
			return true;
		if (!*end)
			return false;
	}
}

/* The helper of jitmend run's, which lies beside this one. */
static bool helper(char path[static PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *name;

	if (length < 0)
		return false;
	path[length] = '\0';
	name = strrchr(path, '/') + 1;
	if (name + sizeof "jitmend-check" > path + PATH_MAX)
		return false;
	strcpy(name, "jitmend-check");
	return access(path, X_OK) == 0;
}

static _Noreturn void become_helper(const char *path, char **argv, const char *preload)
{
	const char *search = getenv("PATH");
	char words[4][PATH_MAX + 32];
	char *all[] = { (char *)path, words[0], words[1], words[2], words[3], "--" };
	const size_t own = sizeof all / sizeof *all;
	size_t count = 0;
	char **line;
	int null = open("/dev/null", O_WRONLY);

	snprintf(words[0], sizeof words[0], "--preload=%s", preload);
	snprintf(words[1], sizeof words[1], "--pid=%d", (int)getpid());
	snprintf(words[2], sizeof words[2], "--path=%s", search ? search : "/bin:/usr/bin");
	snprintf(words[3], sizeof words[3], "--agent=%.*s/jitmend-agent",
		 (int)(strrchr(path, '/') - path), path);
	while (argv[count])
		count++;
	line = calloc(own + count + 1, sizeof *line);
	if (!line)
		_exit(127);
	memcpy(line, all, own * sizeof *line);
	memcpy(line + own, argv, count * sizeof *line);
	dup2(null, STDOUT_FILENO);
	unsetenv("JITMEND_LOG"); /* or it would make the file */
	execv(path, line);
	_exit(127);
}

/* Its line, without the "jitmend: " before it. */
static int ask_helper(char **argv, const char *preload, char *message, size_t size)
{
	char path[PATH_MAX];
	int ends[2], status = 0;
	ssize_t length;
	pid_t process;

	message[0] = '\0';
	if (!preload || !helper(path) || pipe2(ends, O_CLOEXEC) != 0)
		return 0;
	process = fork();
	if (process == 0) {
		dup2(ends[1], STDERR_FILENO);
		become_helper(path, argv, preload);
	}
	close(ends[1]);
	length = process < 0 ? 0 : read(ends[0], message, size - 1);
	close(ends[0]);
	message[length < 0 ? 0 : length] = '\0';
	message[strcspn(message, "\n")] = '\0';
	if (process > 0)
		waitpid(process, &status, 0);
	if (strncmp(message, "jitmend: ", 9) == 0)
		memmove(message, message + 9, strlen(message + 9) + 1);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

/* ------------------------------------------------------------------- SELinux */

/* One question to a file of selinuxfs: what is written is answered. */
static bool transact(const char *file, const char *question, char *answer, size_t size)
{
	char path[256];
	ssize_t length = -1;
	int fd;

	snprintf(path, sizeof path, SELINUXFS "%s", file);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (write(fd, question, strlen(question)) == (ssize_t)strlen(question))
		length = read(fd, answer, size - 1);
	close(fd);
	if (length <= 0)
		return false;
	answer[length] = '\0';
	return true;
}

static unsigned number_in(const char *file)
{
	char path[256], number[16];

	snprintf(path, sizeof path, SELINUXFS "class/process/%s", file);
	return probe_read_line(path, number, sizeof number) ? (unsigned)atoi(number) : 0;
}

/* Permissions are numbered from 1. */
static enum tri is_refused(unsigned allowed, const char *permission)
{
	char file[64];
	unsigned number;

	snprintf(file, sizeof file, "perms/%s", permission);
	number = number_in(file);
	if (!number || number > 32)
		return UNKNOWN;
	return allowed >> (number - 1) & 1 ? NO : YES;
}

static bool allowed_to(const char *from, const char *to, unsigned *allowed)
{
	char question[1100], answer[128];

	snprintf(question, sizeof question, "%s %s %u", from, to, number_in("index"));
	return transact("access", question, answer, sizeof answer) &&
	       sscanf(answer, "%x", allowed) == 1;
}

static void ask_about_domain(const struct probe_context *context, struct probe_program *program)
{
	unsigned allowed;

	if (allowed_to(program->label, program->label, &allowed)) {
		program->execheap = is_refused(allowed, "execheap");
		program->execmem = is_refused(allowed, "execmem");
		program->execstack = is_refused(allowed, "execstack");
	}
	if (program->changes == YES && allowed_to(context->label, program->label, &allowed)) {
		enum tri refused = is_refused(allowed, "noatsecure");

		program->keeps_preload = refused == UNKNOWN ? UNKNOWN : refused == YES ? NO : YES;
	}
}

static bool may_be_held_back(const struct probe_context *context,
			     const struct probe_program *program)
{
	struct statvfs mount;

	return context->no_new_privs ||
	       (statvfs(program->path, &mount) == 0 && mount.f_flag & ST_NOSUID);
}

static void look_at_domain(const struct probe_context *context, bool quiet,
			   struct probe_program *program)
{
	char question[1100], next[sizeof program->label];

	if (context->selinux == SELINUX_ABSENT) {
		program->changes = NO;
		program->how = HOW_READ;
		return;
	}
	if (getxattr(program->path, "security.selinux", program->file_label,
		     sizeof program->file_label - 1) < 0)
		program->file_label[0] = '\0';
	/* Written beforehand, by runcon(1) or a service manager. */
	if (probe_read_line("/proc/self/attr/exec", next, sizeof next)) {
		snprintf(program->label, sizeof program->label, "%s", next);
		program->changes = strcmp(next, context->label) ? YES : NO;
		program->how = HOW_READ;
	} else if (!quiet && *program->file_label) {
		/* A refusal of this question is recorded as well. */
		snprintf(question, sizeof question, "%s %s %u", context->label,
			 program->file_label, number_in("index"));
		if (!transact("create", question, program->label, sizeof program->label))
			return;
		program->changes = strcmp(program->label, context->label) ? YES : NO;
		program->how = HOW_ASKED;
		/* Then the policy has to allow more (nnp_transition, nosuid_transition),
		 * or the domain stays. */
		if (program->changes == YES && may_be_held_back(context, program))
			program->changes = UNKNOWN;
	}
	if (!quiet && program->changes != UNKNOWN)
		ask_about_domain(context, program);
}

/* ----------------------------------------------------------------------- all */

void probe_program(char **argv, const char *preload, bool quiet,
		   const struct probe_context *context, struct probe_program *program)
{
	int status;

	*program = (struct probe_program){ .name = argv[0] };
	status = ask_helper(argv, preload, program->refused, sizeof program->refused);
	if (status == PROBE_NOT_FOUND || status == PROBE_NOT_EXECUTABLE)
		probe_fail((enum probe_status)status, "%s", program->refused);
	if (!find(argv[0], program->path))
		probe_fail(errno == ENOENT ? PROBE_NOT_FOUND : PROBE_NOT_EXECUTABLE, "%s: %s",
			   *argv[0] ? argv[0] : "''", strerror(errno));
	program->gains = rights_gained(program->path);
	if (getxattr(program->path, "user.pax.flags", program->pax, sizeof program->pax - 1) < 0)
		program->pax[0] = '\0';
	look_at_domain(context, quiet, program);
}
