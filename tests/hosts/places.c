/* places.c: code is made where one would rather not: in signal handlers, in
 * threads with little stack, in a thread that goes away, after fork and vfork,
 * in a constructor, a destructor and at exit, without descriptors. */
#include "host.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

/* Writes code, makes it executable, runs it, makes it data again. */
static bool use(unsigned char *page, int value)
{
	if (do_mprotect(page, PAGE, RW) != 0)
		return false;
	code_write(page, value);
	if (do_mprotect(page, PAGE, RWX) != 0)
		return false;
	return code_run(page) == value;
}

/* ------------------------------------------------- before and after main() */

static int made_in_constructor, made_in_destructor;
static bool say_at_the_end;

__attribute__((constructor)) static void construct(void)
{
	unsigned char *page = sbrk_pages(1);

	code_write(page, 31);
	if (mprotect(page, PAGE, RWX) == 0)
		made_in_constructor = code_run(page);
}

__attribute__((destructor)) static void destruct(void)
{
	unsigned char *page;

	if (!say_at_the_end)
		return;
	page = sbrk_pages(1);
	made_in_destructor = use(page, 32);
	dprintf(1, "destructor %d\n", made_in_destructor);
}

static void at_the_end(void)
{
	dprintf(1, "atexit %d\n", use(sbrk_pages(1), 33));
}

static void constructor(void)
{
	say("constructor %d", made_in_constructor);
	say_at_the_end = true;
	atexit(at_the_end);
}

/* -------------------------------------------------------- signal handlers */

static unsigned char *main_page, *handler_page;
static volatile sig_atomic_t handled, handler_failed;

static void on_signal(int number)
{
	int error = errno;

	(void)number;
	/* Its own page, and then the one that it may have interrupted a call for. */
	if (!use(handler_page, 5000 + handled) || do_mprotect(main_page, PAGE, RWX) != 0)
		handler_failed++;
	handled++;
	errno = error;
}

static void interrupt_often(int flags, int rounds)
{
	struct itimerval often = { { 0, 300 }, { 0, 300 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = on_signal };
	int i, failed = 0;

	main_page = heap_pages(1);
	handler_page = heap_pages(1);
	handled = handler_failed = 0;
	sigemptyset(&action.sa_mask);
	action.sa_flags = SA_RESTART | flags;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (i = 0; i < 3000 || handled < rounds; i++) {
		code_write(main_page, i);
		if (do_mprotect(main_page, PAGE, RWX) != 0 || code_run(main_page) != i)
			failed++;
		if (i % 2 && do_mprotect(main_page, PAGE, RW) != 0)
			failed++;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	say("failed %d, in the handler %d", failed, (int)handler_failed);
	must(do_mprotect(main_page, PAGE, RW) == 0 && do_mprotect(handler_page, PAGE, RW) == 0, "data");
	free(main_page);
	free(handler_page);
}

static void handler(void)
{
	interrupt_often(0, 100);
}

static void handler_on_small_stack(void)
{
	size_t size = (size_t)sysconf(_SC_MINSIGSTKSZ) + 16384;
	stack_t stack = { .ss_sp = malloc(size), .ss_size = size }, none = { .ss_flags = SS_DISABLE };

	must(stack.ss_sp && sigaltstack(&stack, NULL) == 0, "sigaltstack");
	interrupt_often(SA_ONSTACK, 100);
	must(sigaltstack(&none, NULL) == 0, "sigaltstack");
	free(stack.ss_sp);
}

/* ---------------------------------------------------------------- threads */

enum { THREADS = 4 };

static void *use_often(void *argument)
{
	unsigned char *page = argument;
	int i;

	for (i = 0; i < 300; i++)
		if (!use(page, i))
			return argument;
	return NULL;
}

/* THREADS at once; the pages are neighbours. */
static void run_threads(const pthread_attr_t *attributes)
{
	unsigned char *pages = heap_pages(THREADS);
	pthread_t threads[THREADS];
	int i, failed = 0;
	void *result;

	for (i = 0; i < THREADS; i++)
		must(pthread_create(&threads[i], attributes, use_often,
				    pages + (size_t)i * PAGE) == 0, "thread");
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		failed += result != NULL;
	}
	say("failed %d", failed);
	must(do_mprotect(pages, THREADS * PAGE, RW) == 0, "data");
	free(pages);
}

static void threads(void)
{
	run_threads(NULL);
}

static void small_threads(void)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	must(pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN)) == 0,
	     "a small stack");
	run_threads(&attributes);
	pthread_attr_destroy(&attributes);
}

static atomic_bool stop;

static void *store_on(void *argument)
{
	volatile uint64_t *word = argument;
	uint64_t n;

	for (n = 0; !stop; n++)
		++*word;
	return *word == n ? NULL : argument;
}

/* A writer that has the smallest stack there is, the next page turning. */
static void small_writer(void)
{
	unsigned char *page = heap_pages(1);
	pthread_attr_t attributes;
	pthread_t thread;
	void *result;
	int i;

	pthread_attr_init(&attributes);
	must(pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN)) == 0,
	     "a small stack");
	stop = false;
	must(pthread_create(&thread, &attributes, store_on, page + 1024) == 0, "thread");
	pthread_attr_destroy(&attributes);
	for (i = 0; i < 5000; i++)
		must(do_mprotect(page, PAGE, i % 2 ? RW : RWX) == 0, "mprotect");
	stop = true;
	pthread_join(thread, &result);
	say("lost %d", result != NULL);
	free(page);
}

static pthread_key_t key;
static atomic_int used_leaving;

static void leave(void *page)
{
	used_leaving += use(page, 77);
}

static void *set_and_leave(void *page)
{
	pthread_setspecific(key, page);
	return NULL;
}

/* A thread's last act. */
static void leaving(void)
{
	unsigned char *pages = heap_pages(10);
	pthread_t thread;
	int i;

	must(pthread_key_create(&key, leave) == 0, "key");
	for (i = 0; i < 10; i++) {
		must(pthread_create(&thread, NULL, set_and_leave, pages + (size_t)i * PAGE) == 0,
		     "thread");
		pthread_join(thread, NULL);
	}
	say("used %d", used_leaving);
	pthread_key_delete(key);
}

static void *do_nothing(void *argument)
{
	return argument;
}

/* Detached threads give their memory back with all signals blocked. */
static void detached(void)
{
	unsigned char *first = heap_pages(1);
	pthread_attr_t attributes;
	pthread_t thread;
	uintptr_t end;
	int i;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	for (i = 0; i < 300; i++) {
		must(pthread_create(&thread, &attributes, do_nothing, NULL) == 0, "thread");
		/* The heap from here on, with what is noted there of threads. */
		end = (uintptr_t)sbrk(0) & ~(PAGE - 1);
		must(do_mprotect(first, end - (uintptr_t)first, i % 2 ? RW : RWX) == 0, "mprotect");
	}
	say("alive");
	pthread_attr_destroy(&attributes);
}

/* ----------------------------------------------------------- fork and vfork */

static void after_fork(void)
{
	unsigned char *page = heap_pages(2);
	pid_t child;
	int i;

	for (i = 0; i < 2; i++) {
		child = fork();
		if (child == 0)
			_exit(use(page, i) && use(page + PAGE, i) ? 0 : 1);
		say_child("first in the child", child);
		say("then here: %d", use(page, 50));
	}
}

static void after_vfork(void)
{
	unsigned char *page = heap_pages(1);
	pid_t child;

	code_write(page, 44);
	child = vfork();
	if (child == 0)
		_exit(mprotect(page, PAGE, RWX) ? 1 : code_run(page));
	say_child("child", child);
	say_protection("page", page, 1);
	say("%d", code_run(page));
	say("used here: %d", use(page, 45));
}

/* ---------------------------------------------------------- descriptors */

/* Nothing stays open; the answer goes to a file opened afterwards. */
static void closed(void)
{
	const char *folder = getenv("TMPDIR");
	unsigned char *page = heap_pages(2), *file = file_pages(2);
	char path[4096], line[64];
	bool right = true;
	int i, fd;

	fflush(stdout);
	closefrom(0);
	for (i = 0; i < 10; i++)
		right = use(page, i) && use(page + PAGE, i) && use(file, i) && right;
	snprintf(path, sizeof(path), "%s/closed", folder ? folder : "/tmp");
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	snprintf(line, sizeof(line), "right %d, descriptor %d\n", right, fd);
	if (write(fd, line, strlen(line)) < 0)
		_exit(98);
	_exit(right ? 0 : 97);
}

/* The host's file on every number: nobody else writes into it. */
static void every_number(void)
{
	const char *folder = getenv("TMPDIR");
	struct rlimit limit = { 256, 256 };
	unsigned char *page = heap_pages(2), *file = file_pages(2);
	char path[4096];
	struct stat status;
	bool right = true;
	int i, fd, kept;

	must(use(page, 1), "code");
	snprintf(path, sizeof(path), "%s/every-number", folder ? folder : "/tmp");
	fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0600);
	must(fd >= 0, path);
	kept = fcntl(1, F_DUPFD, 300);
	must(kept >= 0, "dup");
	for (i = 0; i < 256; i++)
		if (i != fd)
			must(dup2(fd, i) == i, "dup2");
	/* Nor is there a number left. */
	must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
	for (i = 0; i < 10; i++)
		right = use(page, i) && use(page + PAGE, i) && use(file, i) && right;
	must(fstat(fd, &status) == 0, "fstat");
	dup2(kept, 1);
	say("right %d, the file has %ld bytes", right, (long)status.st_size);
	_exit(0);
}

/* ---------------------------------------------------------- limits, no /proc */

static size_t address_space_now(void)
{
	char text[128];
	unsigned long pages = 0;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	must(got > 0, "/proc/self/statm");
	text[got] = 0;
	sscanf(text, "%lu", &pages);
	close(fd);
	return pages * PAGE;
}

static void little_address_space(size_t room)
{
	unsigned char *page = heap_pages(2), *file = file_pages(2);
	struct rlimit limit;
	bool right = true;
	int i;

	memset(file, 1, 2 * PAGE);
	say("soon");
	limit.rlim_cur = limit.rlim_max = address_space_now() + room;
	must(setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit");
	for (i = 0; i < 10; i++)
		right = use(page, i) && use(page + PAGE, i) && right;
	say("heap %d", right);
	for (i = 0; i < 10; i++)
		right = use(file, i) && use(file + PAGE, i) && right;
	say("file %d", right);
}

static void address_space(void)
{
	little_address_space(1 << 20);
}

static void no_address_space(void)
{
	little_address_space(0);
}

/* A policy's word would be final; of memory there may be more later. */
static void short_of_memory(void)
{
	unsigned char *page = heap_pages(1), *file = file_pages(1);
	struct rlimit limit, before;

	memset(file, 1, PAGE);
	must(getrlimit(RLIMIT_AS, &before) == 0, "getrlimit");
	limit = before;
	limit.rlim_cur = address_space_now();
	must(setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit");
	say_result("heap", do_mprotect(page, PAGE, RWX));
	say_result("file", do_mprotect(file, PAGE, RWX));
	must(setrlimit(RLIMIT_AS, &before) == 0, "setrlimit");
	say_result("heap, later", do_mprotect(page, PAGE, RWX));
	say_result("file, later", do_mprotect(file, PAGE, RWX));
}

static void no_file_size(void)
{
	struct rlimit none = { 0, 0 };
	unsigned char *page = heap_pages(1), *file = file_pages(1);

	must(setrlimit(RLIMIT_FSIZE, &none) == 0, "setrlimit");
	say("%d %d", use(page, 1), use(file, 1));
}

static void no_root(void)
{
	unsigned char *page = heap_pages(2), *file = file_pages(2);
	const char *folder = getenv("TMPDIR");
	bool right = true;
	int i;

	if (chroot(folder ? folder : "/tmp") != 0 || chdir("/") != 0) {
		say("no chroot");
		return;
	}
	for (i = 0; i < 10; i++)
		right = use(page, i) && use(page + PAGE, i) && use(file, i) && right;
	say("right %d", right);
}

/* A library in C++ that throws, and catches: opened by a program in C. */
static void plugin(void)
{
	const char *path = getenv("PLUGIN");
	void *library = path ? dlopen(path, RTLD_NOW) : NULL;
	int (*throw_and_catch)(int);
	int (*catch_fault)(void);
	unsigned char *page = heap_pages(1);

	if (!library)
		say("no library: %s", dlerror());
	must(library && use(page, 1), "a library in C++");
	*(void **)&throw_and_catch = dlsym(library, "throw_and_catch");
	*(void **)&catch_fault = dlsym(library, "catch_fault");
	must(throw_and_catch && catch_fault, "its functions");
	say("caught %d", throw_and_catch(5));
	say("used %d", use(page, 2));
	say("caught %d", throw_and_catch(6));
	say("caught a fault: %d", catch_fault());
}

static void plain(void)
{
	unsigned char *page = heap_pages(2), *file = file_pages(2);
	bool right = true;
	int i;

	for (i = 0; i < 10; i++)
		right = use(page, i) && use(page + PAGE, i) && use(file, i) && right;
	say("right %d", right);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "plain", plain },
		{ "plugin", plugin },
		{ "constructor", constructor },
		{ "handler", handler },
		{ "handler-on-small-stack", handler_on_small_stack },
		{ "threads", threads },
		{ "small-threads", small_threads },
		{ "small-writer", small_writer },
		{ "leaving", leaving },
		{ "detached", detached },
		{ "fork", after_fork },
		{ "vfork", after_vfork },
		{ "closed", closed },
		{ "every-number", every_number },
		{ "address-space", address_space },
		{ "no-address-space", no_address_space },
		{ "short-of-memory", short_of_memory },
		{ "no-file-size", no_file_size },
		{ "no-root", no_root },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
