/* loader.c: loads shared objects (loader-module.c) and runs them, in threads too.
 *
 *   loader needed             the one that it was linked with, if -DNEEDED
 *   loader open FILE...       opens each, runs it, closes it
 *   loader keep FILE...       the same, without closing
 *   loader thread FILE...     in a thread that began before it was opened, and in one
 *                             that began after
 *   loader nested             nested functions of its own, if -DNESTED, in a thread too
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static int (*run)(int);

#ifdef NEEDED
int module_run(int number);
#endif

static void *in_thread(void *barrier)
{
	static long result;

	if (barrier) {
		pthread_barrier_wait(barrier);
		pthread_barrier_wait(barrier);
	}
	result = run(7);
	return &result;
}

static void *open_module(const char *file)
{
	void *module = dlopen(file, RTLD_NOW);

	if (!module) {
		printf("%s\n", strstr(dlerror(), ": "));
		return NULL;
	}
	run = (int (*)(int))dlsym(module, "module_run");
	return module;
}

static int open_and_run(const char *file, int close)
{
	void *module = open_module(file);

	if (!module)
		return 1;
	printf("%d\n", run(7));
	printf("%d\n", run(8));
	if (close)
		dlclose(module);
	return 0;
}

static int run_in_thread(const char *name)
{
	pthread_t thread;
	void *result;

	if (pthread_create(&thread, NULL, in_thread, NULL)) {
		printf("no thread\n");
		return 1;
	}
	pthread_join(thread, &result);
	printf("%s %ld\n", name, *(long *)result);
	return 0;
}

static int open_for_threads(const char *file)
{
	pthread_barrier_t barrier;
	pthread_t before;
	void *result;

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&before, NULL, in_thread, &barrier);
	pthread_barrier_wait(&barrier);
	if (!open_module(file))
		return 1;
	pthread_barrier_wait(&barrier);
	pthread_join(before, &result);
	printf("before %ld\n", *(long *)result);
	return run_in_thread("after");
}

#ifdef NESTED
__attribute__((noinline)) static int call(int (*function)(int), int number)
{
	return function(number);
}

static int nested(int number)
{
	int sum = 1;

	int add(int other)
	{
		sum += other;
		return sum;
	}
	for (int i = 0; i < 30; i++)
		call(add, number);
	return sum;
}
#else
static int nested(int number)
{
	return number;
}
#endif

int main(int argc, char **argv)
{
	int failures = 0;

	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc < 2)
		return 2;
#ifdef NEEDED
	if (strcmp(argv[1], "needed") == 0) {
		run = module_run;
		printf("%d\n", run(7));
		printf("thread %ld\n", *(long *)in_thread(NULL));
		return 0;
	}
#endif
	if (strcmp(argv[1], "nested") == 0) {
		run = nested;
		printf("%d\n", run(5));
		return run_in_thread("thread");
	}
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[1], "thread") == 0)
			failures += open_for_threads(argv[i]);
		else
			failures += open_and_run(argv[i], strcmp(argv[1], "open") == 0);
	}
	return failures;
}
