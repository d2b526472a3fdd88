/* probe-context.c: what can be read, or asked for without a record. See probe.h. */
#include <config.h>

#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "policy.h"

bool probe_read_line(const char *path, char *line, unsigned size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t length;

	line[0] = '\0';
	if (fd < 0)
		return false;
	length = read(fd, line, size - 1);
	close(fd);
	if (length < 0)
		length = 0;
	line[length] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return length > 0;
}

/* ---------------------------------------------------------------- the kernel */

bool probe_is_overlap_kernel(const char *release)
{
	unsigned major, minor, candidate;
	const char *rc = strstr(release, "-rc");

	if (sscanf(release, "%u.%u", &major, &minor) != 2 || major != 6)
		return false;
	if (minor == 11)
		return rc && sscanf(rc, "-rc%u", &candidate) == 1 && candidate <= 4;
	return minor >= 6 && minor <= 10;
}

static const char *after(const char *line, const char *key)
{
	size_t length = strlen(key);

	if (strncmp(line, key, length) != 0)
		return NULL;
	line += length;
	return line + strspn(line, " \t");
}

void probe_read_status(const char *line, struct probe_context *context)
{
	const char *value;

	if ((value = after(line, "NoNewPrivs:")))
		context->no_new_privs = atoi(value) == 1;
	else if ((value = after(line, "Seccomp_filters:")))
		context->filters = atoi(value);
	else if ((value = after(line, "PaX:")))
		snprintf(context->pax, sizeof context->pax, "%.*s", (int)strcspn(value, " \t\n"),
			 value);
}

static void read_status(struct probe_context *context)
{
	FILE *stream = fopen("/proc/self/status", "re");
	char line[256];

	context->filters = -1;
	context->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	if (!stream)
		return;
	while (fgets(line, sizeof line, stream))
		probe_read_status(line, context);
	fclose(stream);
}

/* -------------------------------------------------------------------- mounts */

static void add_mount(struct probe_context *context, const char *path)
{
	struct probe_mount *mount = &context->mounts[context->mount_count];
	struct statvfs flags;
	struct statfs type;

	if (!path || !*path || strlen(path) >= sizeof mount->path || probe_mount(context, path) ||
	    context->mount_count == PROBE_MOST_MOUNTS)
		return;
	*mount = (struct probe_mount){ .there = statvfs(path, &flags) == 0 };
	snprintf(mount->path, sizeof mount->path, "%s", path);
	if (mount->there) {
		mount->noexec = flags.f_flag & ST_NOEXEC;
		mount->readonly = flags.f_flag & ST_RDONLY;
		mount->type = statfs(path, &type) == 0 ? (long)type.f_type : 0;
	}
	context->mount_count++;
}

const struct probe_mount *probe_mount(const struct probe_context *context, const char *path)
{
	for (unsigned i = 0; i < context->mount_count; i++)
		if (strcmp(context->mounts[i].path, path) == 0)
			return &context->mounts[i];
	return NULL;
}

static void look_at_mounts(struct probe_context *context)
{
	const char *temporary = getenv("TMPDIR");
	const struct probe_mount *mount;

	if (!temporary || !*temporary)
		temporary = "/tmp";
	/* The first is the device, the others are where src/codefile.c looks, and where
	 * other libraries do (libffi, for one). */
	add_mount(context, "/dev/zero");
	add_mount(context, "/dev/shm");
	add_mount(context, "/tmp");
	add_mount(context, "/var/tmp");
	add_mount(context, ".");
	add_mount(context, temporary);
	add_mount(context, getenv("HOME"));
	add_mount(context, getenv("XDG_RUNTIME_DIR"));
	mount = probe_mount(context, temporary);
	context->file_noexec = mount && mount->noexec;
}

/* ---------------------------------------------------------- security modules */

/* Which part of a label's LABEL ends where: SELinux's has three or more, none of
 * them with a blank. AppArmor's looks like "docker-default (enforce)". */
bool probe_is_selinux_label(const char *label)
{
	unsigned colons = 0;

	for (const char *at = label; *at; at++) {
		if (*at == ' ')
			return false;
		colons += *at == ':';
	}
	return colons >= 2;
}

void probe_label_type(const char *label, char *type, unsigned size)
{
	const char *at;

	type[0] = '\0';
	if (!probe_is_selinux_label(label))
		return;
	at = strchr(strchr(label, ':') + 1, ':') + 1;
	snprintf(type, size, "%.*s", (int)strcspn(at, ":"), at);
}

static enum selinux look_at_selinux(const char *label)
{
	char line[8];

	if (probe_read_line("/sys/fs/selinux/enforce", line, sizeof line))
		return line[0] == '1' ? SELINUX_ENFORCING : SELINUX_PERMISSIVE;
	/* A container is not shown the file, but has a label all the same. */
	return probe_is_selinux_label(label) ? SELINUX_UNCLEAR : SELINUX_ABSENT;
}

static bool is_listed(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = strstr(list, word); at; at = strstr(at + 1, word))
		if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
			return true;
	return false;
}

/* Who might write down that something was refused. */
static const char *auditor_of(const struct probe_context *context)
{
	static const char *const others[] = { "smack", "tomoyo", "bpf", "ipe" };

	if (context->selinux != SELINUX_ABSENT)
		return "SELinux";
	if (context->filtered)
		return "a seccomp filter";
	if (*context->label && strcmp(context->label, "unconfined") != 0)
		return is_listed(context->lsm, "smack") ? "Smack" : "AppArmor";
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (is_listed(context->lsm, others[i]))
			return others[i];
	return NULL;
}

static const char *container_mark(void)
{
	static const char *const marks[] = {
		"/run/.containerenv", "/.dockerenv", "/run/systemd/container",
	};

	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (access(marks[i], F_OK) == 0)
			return marks[i];
	return getenv("KUBERNETES_SERVICE_HOST") ? "KUBERNETES_SERVICE_HOST" : NULL;
}

void probe_look(struct probe_context *context)
{
	struct utsname kernel;
	char number[16];

	*context = (struct probe_context){ .memfd_noexec = -1 };
	if (uname(&kernel) == 0) {
		snprintf(context->release, sizeof context->release, "%s", kernel.release);
		snprintf(context->machine, sizeof context->machine, "%s", kernel.machine);
	}
	policy_begin(POLICY_NONE, false);
	context->mdwe = policy_mdwe_answer();
	context->filtered = policy_is_filtered();
	read_status(context);
	probe_read_line("/proc/sys/kernel/seccomp/actions_logged", context->actions_logged,
			sizeof context->actions_logged);
	probe_read_line("/proc/self/attr/current", context->label, sizeof context->label);
	probe_read_line("/sys/kernel/security/lsm", context->lsm, sizeof context->lsm);
	if (probe_read_line("/proc/sys/vm/memfd_noexec", number, sizeof number))
		context->memfd_noexec = atoi(number);
	context->selinux = look_at_selinux(context->label);
	context->auditor = auditor_of(context);
	context->container = container_mark();
	look_at_mounts(context);
	context->filter_mprotect = probe_ask_filter_mprotect();
	context->filter_mmap = probe_ask_filter_mmap();
}
