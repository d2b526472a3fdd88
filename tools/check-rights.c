/* check-rights.c: will the kernel take this program for a privileged one? See
 * check.h. Follows cap_bprm_creds_from_file() of the kernel's
 * security/commoncap.c; what an LSM adds to it (SELinux's domain transitions)
 * cannot be seen from here. */
#include <config.h>

#include "check.h"

#include <endian.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { CAPABILITIES = 64 };

static uint64_t own_inheritable(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (syscall(SYS_capget, &header, data) != 0)
		return 0;
	return data[0].inheritable | (uint64_t)data[1].inheritable << 32;
}

/* Does a file with these capabilities have any left when it runs? */
static bool capabilities_remain(uint64_t permitted, uint64_t inheritable)
{
	if (inheritable & own_inheritable())
		return true;
	for (int i = 0; i < CAPABILITIES; i++)
		if (permitted >> i & 1 && prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			return true;
	return false;
}

static bool file_capabilities(const char *path)
{
	struct vfs_ns_cap_data data = { 0 };
	uint64_t permitted, inheritable;
	ssize_t size = getxattr(path, "security.capability", &data, sizeof data);

	/* Root has them all anyway, and the kernel finds nothing gained. */
	if (size < (ssize_t)XATTR_CAPS_SZ_1 || getuid() == 0)
		return false;
	if (le32toh(data.magic_etc) & VFS_CAP_FLAGS_EFFECTIVE)
		return true;
	permitted = le32toh(data.data[0].permitted);
	inheritable = le32toh(data.data[0].inheritable);
	if (size >= (ssize_t)XATTR_CAPS_SZ_2) {
		permitted |= (uint64_t)le32toh(data.data[1].permitted) << 32;
		inheritable |= (uint64_t)le32toh(data.data[1].inheritable) << 32;
	}
	return capabilities_remain(permitted, inheritable);
}

const char *rights_gained(const char *path)
{
	struct statvfs mount;
	struct stat file;
	uid_t user = geteuid();
	gid_t group = getegid();
	bool trusted;

	if (user != getuid() || group != getgid())
		return "would be started with the rights of another user or group";
	if (stat(path, &file) != 0 || statvfs(path, &mount) != 0)
		return NULL;
	trusted = !(mount.f_flag & ST_NOSUID);
	if (trusted && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
		if (file.st_mode & S_ISUID && file.st_uid != user)
			return "is set-user-ID";
		/* Without group execution the bit means mandatory locking. */
		if (file.st_mode & S_ISGID && file.st_mode & S_IXGRP && file.st_gid != group)
			return "is set-group-ID";
	}
	if (trusted && file_capabilities(path))
		return "has file capabilities";
	return NULL;
}
