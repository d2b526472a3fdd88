/* code-confined.c: makes code in a child that has locked itself in as browsers' do: in an empty
 * folder, without /proc, and below a seccomp filter that traps what it does not know. */
#include "code.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* By root's leave, or that of a user namespace. */
static void say_proc(void)
{
	say("/proc: %s", access("/proc/self/maps", F_OK) == 0 ? "there" : "gone");
}

static void leave_folders(void)
{
	char folder[] = "confined.XXXXXX";

	must(mkdtemp(folder) != NULL, "mkdtemp");
	if (geteuid() != 0)
		must(unshare(CLONE_NEWUSER) == 0, "unshare");
	must(chroot(folder) == 0 && chdir("/") == 0, "chroot");
	say_proc();
}

/* As container engines have them; /proc is one mount, and nothing lies on it. */
static void own_mounts(void)
{
	must(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
	     "unshare");
	while (umount2("/proc", MNT_DETACH) == 0)
		;
	must(mount("proc", "/proc", "proc", 0, NULL) == 0, "mount");
}

static void cover_proc(void)
{
	must(mount("none", "/proc", "tmpfs", 0, NULL) == 0, "mount");
	say_proc();
}

static void unmount_proc(void)
{
	must(umount("/proc") == 0, "umount");
	say_proc();
}

static void cover_proc_anew(void)
{
	int context = (int)syscall(SYS_fsopen, "tmpfs", 0), fd;

	must(syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0, "fsconfig");
	fd = (int)syscall(SYS_fsmount, context, 0, 0);
	must(syscall(SYS_move_mount, fd, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) == 0,
	     "move_mount");
	say_proc();
}

static void trapped(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	say("trapped: system call %d", info->si_syscall);
	_exit(3);
}

#define TRAP_IF(number) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP)
#define REFUSE_IF(number) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

#ifdef SYS_mmap2
#define MMAP SYS_mmap2
#define LSEEK SYS__llseek
#define FTRUNCATE SYS_ftruncate64
#else
#define MMAP SYS_mmap
#define LSEEK SYS_lseek
#define FTRUNCATE SYS_ftruncate
#endif

/* Of what a library might want, what Chromium's renderers may not; and pipes. */
static struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	TRAP_IF(SYS_ioctl),
	TRAP_IF(SYS_process_vm_readv),
	TRAP_IF(SYS_process_vm_writev),
	TRAP_IF(SYS_rt_sigpending),
	TRAP_IF(SYS_rt_sigqueueinfo),
	TRAP_IF(SYS_personality),
	TRAP_IF(SYS_mlock2),
	TRAP_IF(SYS_msync),
	TRAP_IF(SYS_preadv2),
	TRAP_IF(SYS_seccomp),
	TRAP_IF(SYS_pipe2),
	REFUSE_IF(SYS_openat),
	REFUSE_IF(SYS_fallocate),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MMAP, 0, 3),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[3])),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_POPULATE | MAP_FIXED_NOREPLACE, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* Nothing to do with files but to read and write those that are open. */
static struct sock_filter filter_of_files[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	TRAP_IF(SYS_openat),
	TRAP_IF(SYS_memfd_create),
	TRAP_IF(FTRUNCATE),
	TRAP_IF(SYS_fallocate),
	TRAP_IF(SYS_pwrite64),
	TRAP_IF(LSEEK),
	TRAP_IF(SYS_prlimit64),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* As filters of services and of containers say it. */
static struct sock_filter filter_of_copies[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	REFUSE_IF(SYS_process_vm_readv),
	REFUSE_IF(SYS_process_vm_writev),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static void forbid_by_seccomp(void)
{
	struct sock_fprog program = { sizeof filter / sizeof *filter, filter };

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	     syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0, "seccomp");
}

static void forbid_by_prctl(struct sock_filter *all, size_t bytes)
{
	struct sock_fprog program = { (unsigned short)(bytes / sizeof *all), all };

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	     prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "seccomp");
}

static void handle_traps(void)
{
	const struct sigaction action = { .sa_sigaction = trapped, .sa_flags = SA_SIGINFO };

	must(sigaction(SIGSYS, &action, NULL) == 0, "sigaction");
}

/* Code in all the ways that a page goes: asked at once and by mprotect, patched, in
 * a heap that grows, moved, unmapped. */
static void make_code(void)
{
	unsigned char *all = code_pages(4), *later = data_pages(16), *moved;
	int sum = 0;

	for (int i = 0; i < 40; i++) {
		code_write(all + (size_t)(i % 4) * PAGE, i);
		sum += code_run(all + (size_t)(i % 4) * PAGE);
	}
	say("patched and run: %d", sum);
	for (int i = 0; i < 16; i++) {
		code_write(later + (size_t)i * PAGE, i);
		must(do_mprotect(later + (size_t)i * PAGE, PAGE, RX) == 0, "mprotect");
	}
	for (int i = 0; i < 16; i++)
		sum += code_run(later + (size_t)i * PAGE);
	say("made executable: %d", sum);
	say("unmapped: %d", do_munmap(later + 4 * PAGE, 4 * PAGE));
	say_read("there", later + 4 * PAGE);
	say_write("not writable", later, 1);
	moved = do_mremap(later + 8 * PAGE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE, NULL);
	say("moved: %d", moved != MAP_FAILED ? code_run(moved + PAGE) : -1);
	must(do_mprotect(all, PAGE, PROT_READ) == 0, "mprotect");
	say_run("not executable", all);
}

static void in_child(void (*run)(void))
{
	pid_t child = fork();

	if (child == 0) {
		run();
		_exit(0);
	}
	say_child("child", child);
}

/* A filter alone, which the thread that has the code puts upon itself. */
static void filtered(void)
{
	handle_traps();
	forbid_by_seccomp();
	make_code();
}

static void filtered_parent(void)
{
	filtered();
	in_child(make_code);
}

static void filtered_by_prctl(void)
{
	handle_traps();
	forbid_by_prctl(filter, sizeof filter);
	make_code();
}

static void be_another(void)
{
	say("another");
	execl("/bin/true", "true", NULL);
	must(false, "execl");
}

static void refused_copies(void)
{
	forbid_by_prctl(filter_of_copies, sizeof filter_of_copies);
	make_code();
	in_child(be_another);
}

/* By then the program has code. */
static void filtered_of_files(void)
{
	handle_traps();
	make_code();
	forbid_by_prctl(filter_of_files, sizeof filter_of_files);
	make_code();
}

/* And no file may be written any more, as sshd's own sandbox has it. */
static void limited(void)
{
	const struct rlimit nothing = { 0, 0 };

	make_code();
	must(setrlimit(RLIMIT_FSIZE, &nothing) == 0, "setrlimit");
	filtered();
}

/* The folders are gone by the time the first code is made. */
static void elsewhere(void)
{
	leave_folders();
	make_code();
}

static void elsewhere_after_fork(void)
{
	in_child(elsewhere);
}

/* Children that make their first code when they have taken /proc from themselves. */
static void below_cover(void)
{
	cover_proc();
	make_code();
}

static void below_new_cover(void)
{
	cover_proc_anew();
	make_code();
}

static void without_mount(void)
{
	unmount_proc();
	make_code();
}

/* What is open there is not in the way. */
static void without_mount_later(void)
{
	make_code();
	unmount_proc();
	make_code();
	in_child(make_code);
}

static void in_own_mounts(void (*run)(void))
{
	own_mounts();
	in_child(run);
}

static void covered(void)
{
	in_own_mounts(below_cover);
}

static void covered_anew(void)
{
	in_own_mounts(below_new_cover);
}

static void unmounted(void)
{
	in_own_mounts(without_mount);
}

static void unmounted_later(void)
{
	in_own_mounts(without_mount_later);
}

static int other_mounts;

static void among_other_mounts(void)
{
	must(setns(other_mounts, CLONE_NEWNS) == 0, "setns");
	say_proc();
	make_code();
}

/* The other namespace is there as long as it is open. */
static void entered(void)
{
	int before = open("/proc/self/ns/mnt", O_RDONLY);

	own_mounts();
	other_mounts = open("/proc/self/ns/mnt", O_RDONLY);
	cover_proc();
	must(setns(before, CLONE_NEWNS) == 0, "setns");
	in_child(among_other_mounts);
}

static unsigned char *inherited;

/* Code that was made before the fork, and is writable as it comes. */
static void use_inherited(void)
{
	say("inherited: %d", code_run(inherited));
	for (int i = 0; i < 8; i++)
		code_write(inherited + (size_t)(i % 2) * PAGE, i);
	say("written: %d", code_run(inherited) + code_run(inherited + PAGE));
}

static void zygote_with_code(void)
{
	inherited = code_pages(2);
	leave_folders();
	code_write(inherited, 1);
	code_run(inherited);
	code_write(inherited, 2);
	for (int i = 3; i < 12; i++) /* by then it is turned */
		code_write(inherited, i);
	in_child(use_inherited);
}

/* A zygote: what it forks was never where /proc is. */
static void zygote(void)
{
	leave_folders();
	in_child(make_code);
	in_child(filtered);
}

/* The zygote's own child forks once more, and has made code before. */
static void grandparent(void)
{
	make_code();
	in_child(make_code);
	in_child(filtered);
}

static void zygotes(void)
{
	make_code();
	leave_folders();
	in_child(grandparent);
}

/* As browsers do it: a child whose pid is told apart from fork's. */
static int begin(void *argument)
{
	(void)argument;
	filtered();
	return 0;
}

static void zygote_by_clone(void)
{
	static char stack[256 * 1024] __attribute__((aligned(16)));

	leave_folders();
	say_child("child", clone(begin, stack + sizeof stack, SIGCHLD, NULL));
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "filtered", filtered },
		{ "filtered-parent", filtered_parent },
		{ "filtered-by-prctl", filtered_by_prctl },
		{ "refused-copies", refused_copies },
		{ "filtered-of-files", filtered_of_files },
		{ "limited", limited },
		{ "elsewhere", elsewhere },
		{ "elsewhere-after-fork", elsewhere_after_fork },
		{ "covered", covered },
		{ "covered-anew", covered_anew },
		{ "unmounted", unmounted },
		{ "unmounted-later", unmounted_later },
		{ "entered", entered },
		{ "zygote", zygote },
		{ "zygote-with-code", zygote_with_code },
		{ "zygotes", zygotes },
		{ "zygote-by-clone", zygote_by_clone },
		{ NULL, NULL },
	};

	give_up_after(60);
	return host_main(parts, argc, argv);
}
