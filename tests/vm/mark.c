/* mark.c: puts a line of words into the kernel's audit stream, so that the records
 * before and behind it can be told apart: records are written by a thread of the
 * kernel's own, in the order in which they were made, and late.
 *
 *	mark WORD...
 *
 * The kernel takes one kind of record from programs though no auditing is enabled:
 * AUDIT_USER_AVC. Exit status: 0, or 1 with one line that says what failed. */
#define _GNU_SOURCE
#include <linux/audit.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct {
		struct nlmsghdr header;
		char text[1024];
	} message = { .header = { .nlmsg_type = AUDIT_USER_AVC,
				  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK } };
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[2048];
	} answer;
	size_t length = 0;
	int fd;

	for (int i = 1; i < argc; i++) {
		int left = (int)(sizeof message.text - length);
		int added = snprintf(message.text + length, (size_t)left, "%s ", argv[i]);

		if (added >= left) {
			fputs("mark: too many words\n", stderr);
			return 1;
		}
		length += (size_t)added;
	}
	message.header.nlmsg_len = (uint32_t)NLMSG_LENGTH(length + 1);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	if (fd < 0)
		return fail("mark: socket");
	if (sendto(fd, &message, message.header.nlmsg_len, 0, (struct sockaddr *)&kernel,
		   sizeof kernel) < 0)
		return fail("mark: sendto");
	if (recv(fd, &answer, sizeof answer, 0) < (ssize_t)NLMSG_LENGTH(sizeof answer.error))
		return fail("mark: recv");
	if (answer.header.nlmsg_type == NLMSG_ERROR && answer.error.error) {
		fprintf(stderr, "mark: %s\n", strerror(-answer.error.error));
		return 1;
	}
	return 0;
}
