/* stack.c: asks for an executable stack page: the main stack's, and that of a
 * thread. What a policy refuses there stays refused. */
#include "host.h"

#include <pthread.h>

static void ask(const char *what)
{
	unsigned char here[64];
	void *page = (void *)((uintptr_t)here & ~(PAGE - 1));

	here[0] = 1;
	say_result(what, do_mprotect(page, PAGE, RWX));
	say_protection(what, page, 1);
	do_mprotect(page, PAGE, RW);
	say("%d", here[0]);
}

static void own(void)
{
	ask("stack");
}

static void *in_thread(void *argument)
{
	ask("thread's stack");
	return argument;
}

static void of_thread(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, in_thread, NULL) == 0, "thread");
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "own", own },
		{ "thread", of_thread },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
