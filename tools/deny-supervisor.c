/* deny-supervisor.c: how the supervisor comes to be. See deny-supervisor.h;
 * what it does is in deny-serve.c. */
#include <config.h>

#include "deny-supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Numbers 0 to 2 may be free because the caller closed them; the program must
 * find them closed too, and nobody's messages may go into our socket. */
static int above_standard(int fd)
{
	int higher = fd;

	if (fd >= 0 && fd <= 2) {
		higher = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		close(fd);
	}
	return higher;
}

/* fork, but the child's end sends no SIGCHLD: one that the program's parent
 * left blocked would stay pending into the program. */
static pid_t fork_quietly(void)
{
	return (pid_t)syscall(SYS_clone, 0L, NULL, NULL, NULL, NULL);
}

union fd_message {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static bool send_fd(int socket, int fd)
{
	union fd_message control = { .room = { 0 } };
	char byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = control.room, .msg_controllen = sizeof control.room,
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	return sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

static int receive_fd(int socket)
{
	union fd_message control;
	char byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = control.room, .msg_controllen = sizeof control.room,
	};
	struct cmsghdr *header;
	int fd = -1;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof fd);
	return fd;
}

static void close_between(unsigned first, unsigned last)
{
	if (first > last)
		return;
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, last, 0) == 0)
		return;
#endif
	if (last > (unsigned)sysconf(_SC_OPEN_MAX))
		last = (unsigned)sysconf(_SC_OPEN_MAX);
	for (; first <= last; first++)
		close((int)first);
}

/* A pipe's reader must see the end of the program's output. */
static void keep_only(int a, int b, bool standard_error)
{
	int null = above_standard(open("/dev/null", O_RDWR | O_CLOEXEC));
	unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);

	standard_error = standard_error && fcntl(2, F_GETFD) != -1;
	for (int fd = 0; fd <= 2; fd++)
		if (!(fd == 2 && standard_error) && (null < 0 || dup2(null, fd) < 0))
			close(fd);
	close_between(3, low - 1);
	close_between(low + 1, high - 1);
	close_between(high + 1, UINT_MAX);
}

/* Whoever looks for the program by its words, pkill -f, must not find us. */
static void clear_words(char **words)
{
	for (; *words; words++)
		memset(*words, 0, strlen(*words));
}

/* PAIR: the program's end of the socket, and ours. */
static _Noreturn void live(const int pair[2], const struct deny_settings *settings)
{
	int socket = pair[1], listener;
	sigset_t all;

	close(pair[0]);
	/* Neither the terminal's signals nor a shutdown's may end it before the
	 * program: without it every call that asks fails with ENOSYS. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGPIPE, SIG_IGN);
	setsid();
	clear_words(settings->program);
	if (chdir("/") != 0)
		_exit(STATUS_OURS);
	listener = above_standard(receive_fd(socket));
	if (listener < 0)
		_exit(0); /* the other side gave up, and has said why */
	keep_only(listener, socket, settings->verbose);
	if (write(socket, "", 1) != 1)
		_exit(0);
	close(socket);
	supervisor_serve(listener, settings);
	_exit(0);
}

/* The grandchild goes to init, or to a subreaper above us, when the child ends. */
static bool start_orphan(const int pair[2], const struct deny_settings *settings)
{
	pid_t child = fork_quietly();
	int status;

	if (child < 0)
		return false;
	if (child == 0) {
		pid_t grandchild = fork_quietly();

		if (grandchild == 0)
			live(pair, settings);
		_exit(grandchild < 0);
	}
	if (waitpid(child, &status, __WALL) != child)
		return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Orphans come to the first process of a container: there the supervisor is
 * its child for good, but of the kind that wait() does not see without
 * __WALL or __WCLONE. */
static bool start_hidden_child(const int pair[2], const struct deny_settings *settings)
{
	pid_t child = fork_quietly();

	if (child == 0)
		live(pair, settings);
	return child > 0;
}

int supervisor_start(const struct deny_settings *settings)
{
	int pair[2], subreaper = 0;
	bool started;

	if (access("/proc/self/maps", R_OK) != 0)
		deny_fail(STATUS_OURS, "deny: /proc is not to be read here, and nothing "
			  "else tells what lies in a program's memory");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		deny_fail(STATUS_OURS, "deny: cannot make a socket: %s", strerror(errno));
	pair[0] = above_standard(pair[0]);
	pair[1] = above_standard(pair[1]);
	/* Survives exec: our caller may have made us one. */
	prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0L, 0L, 0L);
	if (subreaper)
		prctl(PR_SET_CHILD_SUBREAPER, 0L, 0L, 0L, 0L);
	started = getpid() == 1 ? start_hidden_child(pair, settings) :
				  start_orphan(pair, settings);
	if (subreaper)
		prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
	if (!started)
		deny_fail(STATUS_OURS, "deny: cannot start the supervisor: %s",
			  strerror(errno));
	close(pair[1]);
	return pair[0];
}

void supervisor_hand_over(int socket, int listener)
{
	char byte;

	if (!send_fd(socket, listener) || read(socket, &byte, 1) != 1)
		deny_fail(STATUS_OURS, "deny: the supervisor went away");
	close(listener);
	close(socket);
}
