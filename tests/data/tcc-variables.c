/* tcc-variables.c: a program whose variables the kernel fills in. tcc -run puts
 * them on the pages of its code. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

char line[200], folder[4000];
struct stat status_of_root;
struct utsname name;
struct pollfd polled;
int status, ends[2];

int count_up(int number)
{
	return number + 1;
}

int main(void)
{
	int sum = 0, c;
	FILE *child;

	if (fgets(line, sizeof line, stdin))
		printf("line: %s", line);
	while ((c = getchar()) != EOF)
		sum += count_up(c);
	printf("sum: %d\n", sum);
	printf("stat: %d, %d\n", stat("/", &status_of_root), S_ISDIR(status_of_root.st_mode));
	fflush(stdout);
	if (fork() == 0)
		_exit(3);
	printf("wait: %d\n", wait(&status) > 0);
	printf("status: %d\n", WEXITSTATUS(status));
	printf("pipe: %d\n", pipe(ends));
	if (write(ends[1], "x", 1) != 1)
		return 1;
	polled.fd = ends[0];
	polled.events = POLLIN;
	printf("poll: %d\n", poll(&polled, 1, 0));
	printf("uname: %d, %d\n", uname(&name), name.sysname[0] != 0);
	printf("getcwd: %d\n", getcwd(folder, sizeof folder) == folder);
	fflush(stdout);
	child = popen("echo hello", "r");
	if (!child || !fgets(line, sizeof line, child))
		return 1;
	printf("popen: %s", line);
	printf("pclose: %d, system: %d\n", pclose(child), system("exit 5") >> 8);
	return 0;
}
