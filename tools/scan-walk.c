/* scan-walk.c: from the paths on the command line to a list of files, each in it
 * once, however many names it has. See scan.h.
 *
 * Symbolic links below a folder are followed to files, not to folders: a folder
 * that matters lies below it anyway, or was not asked for. */
#include <config.h>

#include "scan.h"

#include <errno.h>
#include <fts.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

enum { PROGRESS_EVERY = 1024 };

static size_t slot_of(const struct files *files, dev_t device, ino_t inode)
{
	uint64_t hash = ((uint64_t)device * 31 + (uint64_t)inode) * 0x9e3779b97f4a7c15U;
	size_t slot = (size_t)(hash >> 20) & (files->slot_count - 1);

	while (files->slots[slot]) {
		const struct file *file = &files->list[files->slots[slot] - 1];

		if (file->device == device && file->inode == inode)
			break;
		slot = (slot + 1) & (files->slot_count - 1);
	}
	return slot;
}

static void make_room(struct files *files)
{
	if (2 * (files->count + 1) < files->slot_count)
		return;
	free(files->slots);
	files->slot_count = files->slot_count ? 2 * files->slot_count : 1024;
	files->slots = scan_allocate(files->slot_count, sizeof *files->slots);
	for (size_t i = 0; i < files->count; i++)
		files->slots[slot_of(files, files->list[i].device, files->list[i].inode)] = i + 1;
}

size_t files_add(struct files *files, const char *path, dev_t device, ino_t inode, bool named)
{
	size_t slot;

	make_room(files);
	slot = slot_of(files, device, inode);
	if (files->slots[slot]) {
		files->list[files->slots[slot] - 1].named |= named;
		return files->slots[slot] - 1;
	}
	files->list = scan_grow(files->list, files->count, &files->room, sizeof *files->list);
	files->list[files->count] = (struct file){
		.path = scan_text("%s", path), .device = device, .inode = inode, .named = named,
	};
	files->slots[slot] = ++files->count;
	return files->count - 1;
}

void files_fault(struct files *files, const char *path, const char *fault)
{
	files->faults = scan_grow(files->faults, files->fault_count, &files->fault_room,
				  sizeof *files->faults);
	files->faults[files->fault_count++] = (struct named_fault){
		.path = scan_text("%s", path), .fault = scan_text("%s", fault),
	};
}

static void fault_of_errno(struct files *files, const char *path, const char *what, int error)
{
	char *fault = scan_text("%s: %s", what, strerror(error));

	files_fault(files, path, fault);
	free(fault);
}

/* What the kernel makes up as it is read is no file: some of it has no end, and
 * /proc/kcore is a core. */
static bool made_up(const char *path)
{
	struct statfs system;

	if (statfs(path, &system) != 0)
		return false;
	switch (system.f_type) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
	case SELINUX_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case BPF_FS_MAGIC:
	case PSTOREFS_MAGIC:
		return true;
	default:
		return false;
	}
}

/* Links to files, kept until all files have been met under their own names. */
struct links {
	char **list;
	size_t count, room;
};

static void keep_link(struct links *links, const char *path)
{
	links->list = scan_grow(links->list, links->count, &links->room, sizeof *links->list);
	links->list[links->count++] = scan_text("%s", path);
}

static void enter(FTS *tree, FTSENT *entry)
{
	bool other_system = entry->fts_level == FTS_ROOTLEVEL ||
			    entry->fts_parent->fts_statp->st_dev != entry->fts_statp->st_dev;

	if (other_system && made_up(entry->fts_accpath))
		fts_set(tree, entry, FTS_SKIP);
}

static void walk_folder(struct files *files, struct links *links, char *path)
{
	/* The last slash of "/" is its name; another is none. */
	char *roots[] = { path, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	if (!tree) {
		fault_of_errno(files, path, "cannot be read", errno);
		return;
	}
	while (errno = 0, (entry = fts_read(tree))) {
		switch (entry->fts_info) {
		case FTS_D:
			enter(tree, entry);
			break;
		case FTS_F:
			files_add(files, entry->fts_path, entry->fts_statp->st_dev,
				  entry->fts_statp->st_ino, false);
			if (files->count % PROGRESS_EVERY == 0)
				progress_show("found", files->count, 0);
			break;
		case FTS_SL:
			keep_link(links, entry->fts_path);
			break;
		case FTS_DNR:
		case FTS_ERR:
		case FTS_NS:
			fault_of_errno(files, entry->fts_path, "cannot be read",
				       entry->fts_errno);
			break;
		default:
			/* Devices, sockets and pipes; folders on the way back. */
			break;
		}
	}
	if (errno)
		fault_of_errno(files, path, "cannot be read to its end", errno);
	fts_close(tree);
}

static void walk_path(struct files *files, struct links *links, char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		fault_of_errno(files, *path ? path : "''", "cannot be read", errno);
	else if (S_ISDIR(status.st_mode))
		walk_folder(files, links, path);
	else if (S_ISREG(status.st_mode))
		files_add(files, path, status.st_dev, status.st_ino, true);
	else
		files_fault(files, path, "is neither a file nor a folder");
}

void walk(struct files *files, char **paths)
{
	struct links links = { 0 };
	struct stat status;

	for (; *paths; paths++)
		walk_path(files, &links, *paths);
	for (size_t i = 0; i < links.count; i++) {
		/* A link to nowhere is not the business of this. */
		if (stat(links.list[i], &status) == 0 && S_ISREG(status.st_mode) &&
		    !made_up(links.list[i]))
			files_add(files, links.list[i], status.st_dev, status.st_ino, false);
		free(links.list[i]);
	}
	free(links.list);
}
