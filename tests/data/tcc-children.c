/* tcc-children.c: for tcc -run: forks; parent and child both go on in the
 * compiled code and write their own copy of the data beside it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int counter = 100;

static int count(int by)
{
	counter += by;
	return counter;
}

int main(void)
{
	int status;
	pid_t child;

	for (int i = 1; i <= 5; i++) {
		fflush(stdout);
		child = fork();
		if (child == 0) {
			char *piece = malloc(10000 * i);

			printf("child %d counts %d\n", i, count(i * 1000));
			free(piece);
			return i;
		}
		waitpid(child, &status, 0);
		printf("it said %d, the parent counts %d\n", WEXITSTATUS(status), count(1));
	}
	return 0;
}
