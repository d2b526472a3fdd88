/* tcc-exit.c: for tcc -run: ends with the status that its argument says, from
 * within a function that it calls through a pointer. */
#include <stdio.h>
#include <stdlib.h>

static void leave(int status)
{
	fflush(stdout);
	exit(status);
}

static void (*const way_out)(int) = leave;

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	printf("leaving with %s\n", argv[1]);
	way_out(atoi(argv[1]));
	return 3;
}
