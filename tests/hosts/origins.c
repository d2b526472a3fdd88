/* origins.c: a host for --origins: what malloc and its kin promise, from many
 * threads and forks; and memory of malloc's made executable, whose allocating
 * function the journal is to name. */
#include "host.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#define FUNCTION __attribute__((noinline))

/* Keeps a call from becoming a jump, and the compiler from knowing malloc. */
static void *volatile kept;

/* ------------------------------------------------------------- semantics */

static void *keep(void *memory)
{
	kept = memory;
	return kept;
}

static FUNCTION void *by_realloc(void *memory, size_t length)
{
	return keep(realloc(memory, length));
}

static void say_null(const char *what, const void *memory)
{
	if (memory)
		say("%s: memory", what);
	else
		say("%s: NULL %s", what, errno == ENOMEM ? "ENOMEM" : "errno unchanged");
	errno = 0;
}

static void semantics(void)
{
	volatile size_t huge = SIZE_MAX / 2 + 1, nought = 0;
	unsigned char *memory;

	errno = 0;
	say_null("malloc(0)", keep(malloc(nought)));
	say_null("malloc(huge)", keep(malloc(huge)));
	say_null("calloc(0, 8)", keep(calloc(nought, 8)));
	say_null("calloc overflow", keep(calloc(huge, 2)));
	say_null("reallocarray overflow", keep(reallocarray(NULL, huge, 2)));
	say_null("reallocarray(NULL)", keep(reallocarray(NULL, 10, 10)));
	memory = keep(calloc(100, 10));
	say("calloc is zero: %d", all_bytes(memory, 1000, 0));
	memset(memory, 'x', 1000);
	say_null("realloc to huge", by_realloc(memory, huge));
	say("still there: %d", all_bytes(memory, 1000, 'x'));
	memory = keep(realloc(memory, 3000000));
	say("moved: %d", all_bytes(memory, 1000, 'x'));
	memory = keep(realloc(memory, 10));
	say("shrunk: %d, usable %d", all_bytes(memory, 10, 'x'), malloc_usable_size(memory) >= 10);
	say_null("realloc to 0", keep(realloc(memory, nought)));
	errno = EINTR;
	free(keep(malloc(10)));
	free(NULL);
	say("errno kept: %d", errno == EINTR);
	must(posix_memalign((void **)&memory, 64, 100) == 0, "posix_memalign");
	memset(memory, 'y', 100);
	memory = keep(realloc(memory, 100000));
	say("from posix_memalign: %d", all_bytes(memory, 100, 'y'));
	free(memory);
}

/* --------------------------------------------------------------- threads */

#define BLOCKS 300
#define THREADS 4

/* Each block is filled with a byte of its own, and looked at before it changes. */
static bool churn(uint32_t seed, int rounds)
{
	static __thread struct {
		unsigned char *memory;
		size_t length;
		int byte;
	} blocks[BLOCKS];
	bool right = true;

	for (int i = 0; i < rounds; i++) {
		unsigned at = random_number(&seed) % BLOCKS;
		size_t length = 1 + random_number(&seed) % (i % 64 ? 500 : 200000);
		unsigned char *memory = blocks[at].memory;
		size_t less = length < blocks[at].length ? length : blocks[at].length;

		right = right && all_bytes(memory, blocks[at].length, blocks[at].byte);
		if (i % 3 == 0) {
			free(memory);
			memory = i % 2 ? malloc(length) : calloc(1, length);
		} else {
			memory = realloc(memory, length);
			right = right && all_bytes(memory, less, blocks[at].byte);
		}
		blocks[at].memory = memory;
		blocks[at].length = length;
		blocks[at].byte = (int)(random_number(&seed) & 255);
		memset(memory, blocks[at].byte, length);
	}
	for (unsigned at = 0; at < BLOCKS; at++) {
		right = right && all_bytes(blocks[at].memory, blocks[at].length, blocks[at].byte);
		free(blocks[at].memory);
		blocks[at].memory = NULL;
		blocks[at].length = 0;
	}
	return right;
}

static void *churn_thread(void *argument)
{
	return churn((uint32_t)(uintptr_t)argument, 20000) ? argument : NULL;
}

static void threads(void)
{
	pthread_t thread[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		must(pthread_create(&thread[i], NULL, churn_thread, (void *)(i + 1)) == 0, "thread");
	for (unsigned i = 0; i < THREADS; i++) {
		void *right;

		pthread_join(thread[i], &right);
		say("thread %u: %d", i, right != NULL);
	}
}

/* ----------------------------------------------------------------- forks */

static volatile bool stop;

static void *churn_briefly(void *argument)
{
	return churn((uint32_t)(uintptr_t)argument, 20) ? argument : NULL;
}

/* In a thread of its own: whoever looks at stacks begins anew with each. */
static bool churn_in_thread(uintptr_t seed, const pthread_attr_t *attributes)
{
	pthread_t thread;
	void *right;

	return pthread_create(&thread, attributes, churn_briefly, (void *)seed) == 0 &&
	       pthread_join(thread, &right) == 0 && right;
}

/* On a stack of its own, too. A stack that glibc has kept may be one that a thread of the
 * parent's was about to take when it forked: what that thread had of thread-local memory
 * is freed, and not said to be (get_cached_stack in nptl/allocatestack.c). */
static bool churn_in_child(uintptr_t seed)
{
	static _Alignas(4096) char stack[1 << 18];
	pthread_attr_t attributes;

	must(pthread_attr_init(&attributes) == 0 &&
	     pthread_attr_setstack(&attributes, stack, sizeof stack) == 0, "a stack");
	return churn_in_thread(seed, &attributes);
}

static void *churn_until_stop(void *argument)
{
	uintptr_t seed = (uintptr_t)argument;
	bool right = true;

	while (!stop)
		right = churn_in_thread(seed++, NULL) && right;
	return right ? argument : NULL;
}

/* Children that allocate, of a parent whose threads do so while it forks. */
static void forks(void)
{
	pthread_t thread[THREADS];
	int right = 0;

	for (uintptr_t i = 0; i < THREADS; i++)
		must(pthread_create(&thread[i], NULL, churn_until_stop, (void *)(i + 1)) == 0,
		     "thread");
	for (unsigned i = 0; i < 60; i++) {
		pid_t child = fork();
		int status;

		must(child >= 0, "fork");
		if (child == 0) {
			alarm(200);
			_exit(churn(i + 1, 200) && churn_in_child(i + 1) ? 0 : 1);
		}
		must(waitpid(child, &status, 0) == child, "waitpid");
		right += status == 0;
	}
	stop = true;
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	say("children that were right: %d", right);
}

/* A thread whose stack is as small as glibc lets it be, and a bit. */
static void small_stack(void)
{
	size_t least = (size_t)sysconf(_SC_THREAD_STACK_MIN);
	pthread_attr_t attributes;
	pthread_t thread;
	void *right;

	pthread_attr_init(&attributes);
	must(pthread_attr_setstacksize(&attributes, least + 16384) == 0, "stack size");
	must(pthread_create(&thread, &attributes, churn_thread, (void *)7) == 0, "thread");
	pthread_join(thread, &right);
	say("small stack: %d", right != NULL);
}

/* --------------------------------------------------------------- origins */

/* Makes a page within MEMORY, three pages of it, executable, and runs it. */
static void run_within(void *memory)
{
	unsigned char *page = (unsigned char *)(((uintptr_t)memory + PAGE - 1) & -PAGE);

	code_write(page, 42);
	say_result("mprotect", mprotect(page, PAGE, RWX));
	say("%d", code_run(page));
	must(mprotect(page, PAGE, RW) == 0, "mprotect back");
}

static FUNCTION void *by_malloc(size_t length)
{
	return keep(malloc(length));
}

static FUNCTION void *by_calloc(size_t length)
{
	return keep(calloc(1, length));
}

static FUNCTION void *by_reallocarray(void *memory, size_t length)
{
	return keep(reallocarray(memory, length / PAGE, PAGE));
}

static FUNCTION void *by_memalign(size_t length)
{
	return keep(memalign(PAGE, length));
}

static void from_malloc(void)
{
	run_within(by_malloc(3 * PAGE));
}

static void from_calloc(void)
{
	run_within(by_calloc(3 * PAGE));
}

static void from_realloc(void)
{
	run_within(by_realloc(by_malloc(100), 3 * PAGE));
}

static void from_reallocarray(void)
{
	run_within(by_reallocarray(by_malloc(100), 3 * PAGE));
}

/* realloc that fails leaves what was there, and where it came from. */
static void from_failed(void)
{
	volatile size_t huge = SIZE_MAX / 2 + 1;
	void *memory = by_malloc(3 * PAGE);

	must(!by_realloc(memory, huge), "no memory");
	run_within(memory);
}

/* The same memory, given back and had again. */
static void from_again(void)
{
	void *first = by_malloc(3 * PAGE);

	free(first);
	run_within(by_calloc(3 * PAGE));
}

static void from_memalign_again(void)
{
	void *first = by_memalign(3 * PAGE);

	kept = by_malloc(100); /* or the freed one would merge with what is behind it */
	free(first);
	run_within(by_malloc(3 * PAGE));
}

/* Small, on a page that a larger and older one shares. */
static void from_neighbour(void)
{
	unsigned char *memory;

	do
		memory = by_malloc(PAGE - 300);
	while (((uintptr_t)memory & (PAGE - 1)) > 64);
	memory = by_calloc(100);
	must(((uintptr_t)memory & (PAGE - 1)) + 100 <= PAGE, "one page");
	code_write(memory, 43);
	memory = (unsigned char *)((uintptr_t)memory & -PAGE);
	say_result("mprotect", mprotect(memory, PAGE, RWX));
}

/* A module that allocates in its constructor and at a call, and is closed again. */
static void from_module(void)
{
	const char *path = getenv("MODULE");
	void *module = dlopen(path ? path : "", RTLD_NOW);
	void *(*allocate)(void);
	void *memory;

	must(module != NULL, "MODULE");
	allocate = (void *(*)(void))dlsym(module, "module_allocate");
	must(allocate != NULL, "module_allocate");
	memory = allocate();
	dlclose(module);
	must(!dlopen(path, RTLD_NOW | RTLD_NOLOAD), "closed");
	run_within(memory);
}

static const struct part parts[] = {
	{ "semantics", semantics },
	{ "threads", threads },
	{ "forks", forks },
	{ "small-stack", small_stack },
	{ "malloc", from_malloc },
	{ "calloc", from_calloc },
	{ "realloc", from_realloc },
	{ "reallocarray", from_reallocarray },
	{ "failed", from_failed },
	{ "again", from_again },
	{ "memalign-again", from_memalign_again },
	{ "neighbour", from_neighbour },
	{ "module", from_module },
	{ 0 },
};

int main(int argc, char **argv)
{
	return host_main(parts, argc, argv);
}
