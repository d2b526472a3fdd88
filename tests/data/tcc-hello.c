/* tcc-hello.c: for tcc -run: prints its arguments and says how many there are. */
#include <stdio.h>

static int called; /* data beside the code, written while that runs */

static void say(const char *word)
{
	printf("%d: %s\n", called++, word);
}

int main(int argc, char **argv)
{
	say("hello");
	for (int i = 1; i < argc; i++)
		say(argv[i]);
	return argc - 1;
}
