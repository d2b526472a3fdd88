/* deepbind.c: calls that no symbol of the program's shows; see host.h.
 *
 * $DEEPBIND_MODULE is the library to open (deepbind-module.c). */
#include "host.h"

#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>

typedef int protect_function(void *page, int protection);

static void *from_module(const char *name)
{
	static void *module;

	if (!module)
		module = dlopen(getenv("DEEPBIND_MODULE"), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	must(module, "dlopen of $DEEPBIND_MODULE");
	return dlsym(module, name);
}

/* Code on a page, made executable by PROTECT, called, and changed. */
static void use_page(unsigned char *page, protect_function *protect)
{
	int result;

	for (int value = 7; value < 9; value++) {
		code_write(page, value);
		result = protect(page, RX);
		say_result("executable", result);
		if (result == 0)
			say("returns %d", code_run(page));
		say_result("writable", protect(page, RW));
	}
}

static void module(void)
{
	const char *(*whose)(void) = (const char *(*)(void))from_module("module_whose");
	protect_function *protect = (protect_function *)from_module("module_protect");

	/* The test is none where the module sees the preload's definition. */
	must(!strstr(whose(), "jitmend"), "a module that binds to libc itself");
	use_page(heap_pages(1), protect);
	use_page(file_pages(1), protect);
}

static void module_syscall(void)
{
	use_page(file_pages(1), (protect_function *)from_module("module_protect_by_syscall"));
}

static int (*libc_mprotect)(void *, size_t, int);

static int protect_by_pointer(void *page, int protection)
{
	return libc_mprotect(page, PAGE, protection);
}

/* A pointer that dlsym takes from libc's own handle. */
static void handle(void)
{
	void *libc = dlopen(LIBC_SO, RTLD_NOW | RTLD_NOLOAD);

	must(libc, "dlopen of " LIBC_SO);
	libc_mprotect = (int (*)(void *, size_t, int))dlsym(libc, "mprotect");
	use_page(file_pages(1), protect_by_pointer);
}

/* ------------------------------------------------- libc's own, in each entry */

static void errors(void)
{
	void *libc = dlopen(LIBC_SO, RTLD_NOW | RTLD_NOLOAD);
	void *(*map)(void *, size_t, int, int, int, off_t) = dlsym(libc, "mmap");
	void *(*map64)(void *, size_t, int, int, int, off_t) = dlsym(libc, "mmap64");
	int (*unmap)(void *, size_t) = dlsym(libc, "munmap");
	int (*protect)(void *, size_t, int) = dlsym(libc, "mprotect");
	int (*protect_key)(void *, size_t, int, int) = dlsym(libc, "pkey_mprotect");
	int (*advise)(void *, size_t, int) = dlsym(libc, "madvise");
	void *(*move)(void *, size_t, size_t, int, ...) = dlsym(libc, "mremap");
	void *(*attach)(int, const void *, int) = dlsym(libc, "shmat");
	unsigned char *page, *other;

	say_result("mmap", (long)map(NULL, 0, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	say_result("mmap64", (long)map64(NULL, PAGE, RW, MAP_PRIVATE, -1, 0));
	say_result("mmap at an odd offset", (long)map(NULL, PAGE, RW, MAP_SHARED, 0, 1));
	say_result("munmap", unmap((void *)1, PAGE));
	say_result("mprotect", protect((void *)1, PAGE, RX));
	say_result("pkey_mprotect", protect_key((void *)1, PAGE, RX, -1));
	say_result("madvise", advise((void *)1, PAGE, MADV_DONTNEED));
	say_result("mremap", (long)move((void *)1, PAGE, PAGE, 0));
	say_result("shmat", (long)attach(-1, NULL, 0));

	page = map(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(page != MAP_FAILED, "mmap");
	memset(page, 'x', 2 * PAGE);
	other = map64(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(other != MAP_FAILED, "mmap64");
	say("moved: %d", move(page, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other) == other);
	say("came along: %d", all_bytes(other, 2 * PAGE, 'x'));
	say_result("madvise", advise(other, PAGE, MADV_DONTNEED));
	say("gone: %d", all_bytes(other, PAGE, 0));
	say_result("mprotect", protect(other, PAGE, PROT_READ));
	say_protection("pages", other, 4);
	say_result("munmap", unmap(other, 4 * PAGE));
	say_protection("pages", other, 4);
}

/* --------------------------------------------------- malloc over code's pages */

static unsigned char *code_in_malloc(size_t length)
{
	void *memory = NULL;

	must(posix_memalign(&memory, PAGE, length) == 0, "posix_memalign");
	memset(memory, 0, length);
	code_write(memory, 5);
	say_result("executable", mprotect(memory, PAGE, RWX));
	say("returns %d", code_run(memory));
	return memory;
}

/* Freed memory comes back as data; the child of a fork has it as its own. */
static void check_data(unsigned char *memory, size_t length)
{
	pid_t child;

	memset(memory, 'd', length);
	child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		bool same = all_bytes(memory, length, 'd');

		memset(memory, 'c', length);
		_exit(same && all_bytes(memory, length, 'c') ? 0 : 1);
	}
	say_child("child", child);
	say("data: %d", all_bytes(memory, length, 'd'));
}

/* A chunk that malloc mapped for itself, and unmaps. */
static void chunk(void)
{
	size_t length = 64 * PAGE;

	mallopt(M_MMAP_THRESHOLD, (int)(4 * PAGE));
	for (int i = 0; i < 3; i++) {
		free(code_in_malloc(length));

		unsigned char *data = calloc(1, length + PAGE);

		must(data, "calloc");
		say("zeroes: %d", all_bytes(data, length + PAGE, 0));
		check_data(data, length + PAGE);
		free(data);
	}
}

/* The same grown by realloc, which is libc's own mremap, of one mapping. */
static void grown(void)
{
	size_t length = 64 * PAGE;
	unsigned char *code, *page;

	mallopt(M_MMAP_THRESHOLD, (int)(4 * PAGE));
	code = malloc(length);
	must(code, "malloc");
	page = (unsigned char *)(((uintptr_t)code + PAGE - 1) & -PAGE);
	memset(code, 'g', length);
	code_write(page, 6);
	say_result("executable", mprotect(page - PAGE, length + PAGE, RWX));
	say("returns %d", code_run(page));
	for (int i = 0; i < 4; i++) {
		length *= 4;
		code = realloc(code, length);
		must(code, "realloc");
		page = (unsigned char *)(((uintptr_t)code + PAGE - 1) & -PAGE);
		say("came along: %d", all_bytes(page + PAGE, 32 * PAGE, 'g'));
		say("returns %d", code_run(page));
	}
	free(code);
}

/* A thread's arena shrinks by madvise or mmap, and grows by mprotect. */
static void *in_arena(void *argument)
{
	unsigned char *guard[3], *code, *data;
	(void)argument;

	for (int i = 0; i < 3; i++) {
		guard[i] = malloc(100);
		code = code_in_malloc(200 * PAGE);
		free(code);
		malloc_trim(0);
		data = calloc(1, 200 * PAGE);
		must(data, "calloc");
		say("zeroes: %d", all_bytes(data, 200 * PAGE, 0));
		check_data(data, 200 * PAGE);
		free(data);
		malloc_trim(0);
	}
	for (int i = 0; i < 3; i++)
		free(guard[i]);
	return NULL;
}

static void arena(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, in_arena, NULL) == 0, "pthread_create");
	must(pthread_join(thread, NULL) == 0, "pthread_join");
}

/* fork takes malloc's locks while threads that hold them are in munmap and its
 * kin, over memory that holds code. */
static atomic_bool stop;

static void *allocate(void *argument)
{
	uint32_t state = (uint32_t)(uintptr_t)argument;

	while (!atomic_load(&stop)) {
		void *memory = NULL;

		if (posix_memalign(&memory, PAGE, (1 + random_number(&state) % 200) * PAGE))
			break;
		memset(memory, 1, PAGE);
		mprotect(memory, PAGE, RWX);
		code_write(memory, 4);
		if (code_run(memory) != 4)
			abort();
		free(memory);
		malloc_trim(0);
	}
	return NULL;
}

static void while_forking(void)
{
	pthread_t threads[3];
	int ended = 0;

	for (uintptr_t i = 0; i < 3; i++)
		must(pthread_create(&threads[i], NULL, allocate, (void *)(i + 1)) == 0,
		     "pthread_create");
	for (int i = 0; i < 200; i++) {
		pid_t child = fork();
		int status;

		must(child >= 0, "fork");
		if (child == 0) {
			free(malloc(50 * PAGE));
			_exit(3);
		}
		must(waitpid(child, &status, 0) == child, "waitpid");
		ended += WIFEXITED(status) && WEXITSTATUS(status) == 3;
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	say("children: %d", ended);
}

/* ---------------------------------------------------------------------- libc */

/* How much of libc's text is not its file's own, and how it may be used. */
static void text(void)
{
	static char line[8192];
	FILE *maps = fopen("/proc/self/maps", "r");
	int pages = 0, odd = 0;

	must(maps, "/proc/self/maps");
	while (fgets(line, sizeof(line), maps)) {
		unsigned long start, end;
		char rights[5];

		must(sscanf(line, "%lx-%lx %4s", &start, &end, rights) == 3, "a line of maps");
		if (!strstr(line, "jitmend-libc"))
			continue;
		pages += (int)((end - start) / PAGE);
		odd += strcmp(rights, "r-xp") != 0;
	}
	fclose(maps);
	say("patched: %s", pages ? "yes" : "no");
	say("otherwise than r-xp: %d", odd);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "module", module },
		{ "module-syscall", module_syscall },
		{ "handle", handle },
		{ "errors", errors },
		{ "chunk", chunk },
		{ "grown", grown },
		{ "arena", arena },
		{ "while-forking", while_forking },
		{ "text", text },
		{ NULL, NULL },
	};

	return host_main(parts, argc, argv);
}
