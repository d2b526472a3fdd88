/* without.c: runs a program for which some system calls do not exist.
 *
 *	without CALL[,CALL]... PROGRAM [ARG...]
 *
 * A seccomp filter answers them with ENOSYS. O_TMPFILE stands for openat with that
 * flag, which is answered with EOPNOTSUPP. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int forbid(scmp_filter_ctx filter, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	if (strcmp(name, "O_TMPFILE") == 0)
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(openat), 1,
					SCMP_A2(SCMP_CMP_MASKED_EQ, O_TMPFILE, O_TMPFILE));
	if (number == __NR_SCMP_ERROR)
		return -ENOSYS;
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0);
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (argc < 3 || !filter)
		return 125;
	for (char *name = strtok(argv[1], ","); name; name = strtok(NULL, ","))
		if (forbid(filter, name)) {
			fprintf(stderr, "without: %s: no such call\n", name);
			return 125;
		}
	if (seccomp_load(filter)) {
		fputs("without: no filter can be had here\n", stderr);
		return 125;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
