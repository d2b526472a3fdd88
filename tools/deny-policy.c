/* deny-policy.c: namespaces and prctl. See deny-policy.h; the filters are in
 * deny-filter.c. */
#include <config.h>

#include "deny-policy.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65 /* Linux 6.3 */
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good;

	if (fd < 0)
		return false;
	good = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return good;
}

/* The user stays who they are: one id is mapped to itself. Other groups and
 * users show as nobody. */
static bool become_owner_of_namespace(void)
{
	unsigned uid = geteuid(), gid = getegid();
	char map[64];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return false;
	/* A kernel before 3.19 has no setgroups file and needs none. */
	if (!write_text("/proc/self/setgroups", "deny") && errno != ENOENT)
		return false;
	snprintf(map, sizeof map, "%u %u 1", gid, gid);
	if (!write_text("/proc/self/gid_map", map))
		return false;
	snprintf(map, sizeof map, "%u %u 1", uid, uid);
	return write_text("/proc/self/uid_map", map);
}

/* The mount flags that a remount has to repeat: left out, they would be taken
 * off, and in a user namespace that is refused. */
static unsigned long flags_of_mount(const char *path)
{
	static const struct {
		unsigned long statvfs, mount;
	} pairs[] = {
		{ ST_RDONLY, MS_RDONLY },   { ST_NOSUID, MS_NOSUID },
		{ ST_NODEV, MS_NODEV },     { ST_NOEXEC, MS_NOEXEC },
		{ ST_NOATIME, MS_NOATIME }, { ST_NODIRATIME, MS_NODIRATIME },
		{ ST_RELATIME, MS_RELATIME },
	};
	struct statvfs found;
	unsigned long flags = 0;

	if (statvfs(path, &found) != 0)
		return 0;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (found.f_flag & pairs[i].statvfs)
			flags |= pairs[i].mount;
	return flags;
}

void policy_noexec_dev(void)
{
	if (unshare(CLONE_NEWNS) != 0 && !become_owner_of_namespace())
		deny_fail(STATUS_OURS, "--noexec-dev: cannot make a mount namespace: %s "
			  "(it takes root, or user namespaces open to users)",
			  strerror(errno));
	/* A slave, not private: what is mounted outside later is seen here. */
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) != 0)
		deny_fail(STATUS_OURS, "--noexec-dev: cannot part from the mounts outside: %s",
			  strerror(errno));
	/* With all below it: in a user namespace a part may not be uncovered. */
	if (mount("/dev", "/dev", NULL, MS_BIND | MS_REC, NULL) != 0)
		deny_fail(STATUS_OURS, "--noexec-dev: cannot bind /dev onto itself: %s",
			  strerror(errno));
	if (mount(NULL, "/dev", NULL,
		  MS_REMOUNT | MS_BIND | MS_NOEXEC | flags_of_mount("/dev"), NULL) != 0)
		deny_fail(STATUS_OURS, "--noexec-dev: cannot remount /dev noexec: %s",
			  strerror(errno));
}

void policy_mdwe(void)
{
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0L, 0L, 0L) == 0)
		return;
	if (errno == EINVAL)
		deny_fail(STATUS_OURS, "--mdwe: this kernel has no MDWE (Linux 6.3 and later "
			  "have it); --seccomp is what came before it");
	deny_fail(STATUS_OURS, "--mdwe: the kernel refuses: %s", strerror(errno));
}
