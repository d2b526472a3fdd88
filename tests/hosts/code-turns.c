/* code-turns.c: pages that are written and run in turn, by the program, by the
 * code in them, by another thread, and by the kernel. */
#include "code.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

enum { TURNS = 1000 };

/* Where in a page the words lie that its functions work on. */
enum { WORD = 2048, OTHER_WORD = 2048 + 64 };

static int *word_in(unsigned char *page)
{
	return (int *)(void *)(page + WORD);
}

static void rewrite(void)
{
	unsigned char *at = code_pages(1);
	long sum = 0;
	int i;

	for (i = 0; i < TURNS; i++) {
		code_write(at, i);
		sum += code_run(at);
	}
	say("%ld", sum);
}

static void rewrite_by_mprotect(void)
{
	unsigned char *at = data_pages(1);
	long sum = 0;
	int i;

	for (i = 0; i < TURNS; i++) {
		if (do_mprotect(at, PAGE, RW) != 0)
			break;
		code_write(at, i);
		if (do_mprotect(at, PAGE, RX) != 0) {
			say_result("rx", -1);
			break;
		}
		sum += code_run(at);
	}
	say("%ld", sum);
}

/* One byte, four, eight of a function, and the rest of it stays. */
static void patch(void)
{
	unsigned char *at = code_pages(1);
	volatile unsigned char *byte = at + CODE_VALUE_AT;
	volatile uint32_t *whole = (volatile uint32_t *)(void *)(at + 64 + CODE_VALUE_AT);
	volatile uint64_t *all = (volatile uint64_t *)(void *)(at + 128);
	long sums[3] = { 0, 0, 0 };
	uint64_t code[CODE_ROOM / 8] = { 0 };
	int i, j;

	code_write(at, 0x01020300);
	code_write(at + 64, 0);
	for (i = 0; i < TURNS; i++) {
		*byte = (unsigned char)i;
		sums[0] += code_run(at);
		*whole = (uint32_t)i * 1000;
		sums[1] += code_run(at + 64);
		code_write(code, i);
		for (j = 0; j < CODE_ROOM / 8; j++)
			all[j] = code[j];
		sums[2] += code_run(at + 128);
	}
	say("%ld %ld %ld", sums[0], sums[1], sums[2]);
	say_checksum("page", at, PAGE);
}

/* A loop that changes its own operand. */
static void loop(void)
{
	static const int widths[] = { 1, 4, 8 };
	unsigned char *at = code_pages_to_compare(2);
	char text[20];
	int i;

	for (i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "%d bytes", widths[i]);
		memset(at, 0, PAGE);
		code_loop(at + 128, widths[i]);
		say("%s: %ld", text, code_call(at + 128, (void *)(uintptr_t)100, 0, 0));
		say_checksum(text, at, 2 * PAGE);
		/* Across two pages. */
		memset(at, 0, 2 * PAGE);
		code_loop(at + PAGE - CODE_LOOP_LENGTH / 2 + CODE_STEP, widths[i]);
		say("%s, across: %ld", text,
		    code_call(at + PAGE - CODE_LOOP_LENGTH / 2 + CODE_STEP,
			      (void *)(uintptr_t)100, 0, 0));
		say_checksum(text, at, 2 * PAGE);
	}
}

/* Each store hits the instruction behind it. */
static void patch_next(void)
{
	unsigned char *at = code_pages_to_compare(2);
	long sum = 0;
	int i;

	code_patch_next(at + 32);
	/* The store lies in one page, its target in the other. */
	code_patch_next(at + PAGE - CODE_PATCHER);
	for (i = 0; i < TURNS; i++) {
		sum += code_call(at + 32, NULL, i, 0);
		sum += code_call(at + PAGE - CODE_PATCHER, NULL, 2 * i, 0);
	}
	say("%ld", sum);
	say_checksum("pages", at, 2 * PAGE);
}

/* Data beside the code. */
static void counters(void)
{
	unsigned char *at = code_pages_to_compare(2);
	long sums[4] = { 0 };
	int i;

	code_increment(at, word_in(at));
	code_exchange_add(at + 32, at + OTHER_WORD);
	code_load(at + 64, word_in(at));
	/* Half of the word in each page. */
	code_increment(at + 96, at + PAGE - 2);
	for (i = 0; i < TURNS; i++) {
		sums[0] += code_call(at, NULL, 0, 0);
		sums[1] += code_call(at + 32, NULL, 0, 0);
		if (i % 10 == 0)
			*(volatile int *)word_in(at) += 5;
		sums[2] += code_call(at + 64, NULL, 0, 0);
		sums[3] += code_call(at + 96, NULL, 0, 0);
	}
	say("%ld %ld %ld %ld", sums[0], sums[1], sums[2], sums[3]);
	say_checksum("pages", at, 2 * PAGE);
}

static void say_store(const struct store_form *form, const char *where, unsigned char *function,
		      unsigned char *at)
{
	static const long value = (long)0x0123456789abcdef;
	long result;
	int i;

	memset(at - 32, 0x5a, 96);
	memcpy(function, form->bytes, (size_t)form->length);
	/* Twice: the first call may find the page on its way to be code. */
	for (i = 0; i < 2; i++) {
		result = code_call(function, at, value, 0) & form->result;
		say("%s, %s: %lx", form->name, where, result);
		say_checksum("stored", at - 32, 96);
	}
}

/* Each kind of instruction stores into the page that it lies in. */
static void store_each(const struct store_form *form)
{
	unsigned char *at = code_pages(3);

	for (; form->name; form++) {
		if (!store_form_works(form))
			continue;
		say_store(form, "aligned", at, at + 256);
		if (form->align > 1)
			continue;
		say_store(form, "odd", at + 64, at + 512 + 1);
		if (form->width > 1)
			say_store(form, "across a line", at + PAGE - 64, at + 1024 - 1);
	}
	say_checksum("pages", at, 3 * PAGE);
}

static void stores(void)
{
	store_each(store_forms);
}

/* As no compiler makes them into code that lies beside. */
static void seldom_stores(void)
{
	store_each(seldom_store_forms);
}

/* The same, over the border of two pages that are both code. */
static void stores_across(void)
{
	unsigned char *at = code_pages(3);
	const struct store_form *form;

	for (form = store_forms; form->name; form++) {
		if (!store_form_works(form) || form->width == 1 || form->align > 1)
			continue;
		code_write(at + PAGE, 1);
		code_run(at + PAGE);
		say_store(form, "first to second page", at, at + PAGE - 1);
		code_write(at, 1);
		code_run(at);
		say_store(form, "from the third page", at + 2 * PAGE, at + PAGE - 1);
	}
	say_checksum("pages", at, 3 * PAGE);
}

/* The registers of vectors, as the program's own code saves them. */
static void save_natively(unsigned char *native)
{
#ifdef __x86_64__
	__builtin_ia32_fxsave64(native);
#elif defined(__i386__)
	__asm__ volatile("fxsave (%0)" : : "r"(native) : "memory");
#else
	memset(native, 0, 512); /* aarch64's code saves no control words */
#endif
}

/* All registers of vectors at once, in the function's own page. */
static void save_vectors(void)
{
	unsigned char *at = code_pages(1), *to = at + 1024;
	unsigned char native[512] __attribute__((aligned(16)));
	int i;

	memset(to, 0x5a, 1024);
	code_save_vectors(at);
	for (i = 0; i < 10; i++) {
		code_call(at, to, 0, 0);
		save_natively(native);
		say("control words: %d %d", !memcmp(to, native, 2),
		    !memcmp(to + 24, native + 24, 8));
	}
	say_checksum("behind", to + 464, 1024 - 464);
}

static void strings(void)
{
	unsigned char *at = code_pages(8), *function = at + 4 * PAGE;
	bool ends;

	code_fill(function);
	ends = code_call(function, at, 4 * PAGE, 'x') == (long)(intptr_t)(at + 4 * PAGE);
	say("below: %d %d", all_bytes(at, 4 * PAGE, 'x'), ends);
	/* Its own page, up to the function and from behind it. */
	code_call(function, at + 3 * PAGE, PAGE, 'y');
	code_call(function, function + 64, 3 * PAGE, 'z');
	say("around: %d %d", all_bytes(at + 3 * PAGE, PAGE, 'y'),
	    all_bytes(function + 64, 3 * PAGE, 'z'));
	code_call(function, function + 100, 0, 'n');
	code_copy(function + 32);
	code_call(function + 32, function + 64, 2 * PAGE, (long)(intptr_t)at + 2 * PAGE);
	say_checksum("copied", at, 8 * PAGE);
	/* A function copies itself, and the copy runs. */
	code_call(function + 32, at, 64, (long)(intptr_t)function);
	code_call(at, at + PAGE, PAGE, 'c');
	say("by the copy: %d", all_bytes(at + PAGE, PAGE, 'c'));
	say_checksum("all", at, 8 * PAGE);
}

/* The stack is in the page of the code. */
static void stack(void)
{
	unsigned char *at = code_pages(2);
	int i;

	code_on_stack(at);
	for (i = 0; i < 10; i++)
		say("%ld", code_call(at, at + PAGE + 16, 0, 0));
	say_checksum("page", at + PAGE - 64, 80);
}

/* Only whole functions, but all of them at once, by memcpy and by string. */
static void bulk(void)
{
	size_t length = (size_t)1 << 20, i;
	unsigned char *at = code_pages(length / PAGE), *image = malloc(length);
	int round;
	long sum = 0;

	for (round = 0; round < 4; round++) {
		for (i = 0; i < length; i += CODE_ROOM)
			code_write(image + i, (int)i + round);
		memcpy(at, image, length);
		say("as written: %d", !memcmp(at, image, length));
		for (i = 0; i < length; i += PAGE / 2)
			sum += code_run(at + i);
		say("%ld", sum);
	}
	/* Backwards, a word in each page, of which every third is run. */
	for (i = length; i; i -= PAGE) {
		code_write(at + i - CODE_ROOM, (int)i);
		if (i / PAGE % 3 == 0)
			sum += code_run(at + i - CODE_ROOM);
	}
	memmove(at + CODE_ROOM, at, length - CODE_ROOM);
	for (i = PAGE; i < length; i += PAGE)
		sum += code_run(at + i);
	say("%ld", sum);
	free(image);
}

/* Sixteen pages at a multiple of eight, the first eight of which are code. */
static unsigned char *pages_beside(void)
{
	unsigned char *at = code_pages(24), i;

	at += -(uintptr_t)at % (8 * PAGE);
	for (i = 0; i < 8; i++)
		code_write(at + i * PAGE, i);
	return at;
}

/* So many stores that the page is turned. */
static void store_often(unsigned char *at, int value)
{
	int i;

	for (i = 0; i < 20; i++)
		code_write(at, value + i);
}

/* Which of the pages beside one that is written is run, and which is written next. */
static void beside(void)
{
	unsigned char *at = pages_beside();
	int i, j, round;
	long sum = 0;

	for (round = 0; round < 8; round++)
		for (i = 0; i < 8; i++)
			for (j = 0; j < 8; j++) {
				code_write(at + i * PAGE, round * i);
				sum += code_run(at + j * PAGE);
				store_often(at + (i ^ j) * PAGE, round);
				code_write(at + j * PAGE + 64, j);
				sum += code_run(at + i * PAGE) + code_run(at + (i ^ j) * PAGE) +
				       code_run(at + j * PAGE + 64);
			}
	say("%ld", sum);
	say_checksum("pages", at, 8 * PAGE);
}

/* How they are mapped then, without anybody's looking. */
static void beside_mapped(void)
{
	unsigned char *at = pages_beside();
	pid_t child;
	int i;

	for (i = 0; i < 8; i++)
		code_run(at + i * PAGE);
	say_protection("run", at, 8);
	store_often(at + PAGE, 1);
	say_protection("second written", at, 8);
	code_run(at);
	say_protection("first run", at, 8);
	code_run(at + 3 * PAGE);
	say_protection("fourth run", at, 8);
	code_run(at + PAGE);
	say_protection("second run", at, 8);
	child = fork();
	if (child == 0) {
		store_often(at + PAGE, 1);
		say_protection("second written by a child", at, 8);
		_exit(0);
	}
	say_child("child", child);
}

static ucontext_t beside_stack, before_stack;
static unsigned char *below_stack;

static __attribute__((noinline)) void go_down(void)
{
	volatile unsigned char room[14 * PAGE];
	size_t i;

	for (i = sizeof(room); i >= PAGE / 4; i -= PAGE / 4)
		room[i - 1] = 1;
}

static void on_stack_beside(void)
{
	say("%d", code_run(below_stack));
	go_down();
	say("%d", code_run(below_stack));
}

/* A stack lies where code was, beside other code. */
static void stack_beside(void)
{
	unsigned char *at = pages_beside();
	int i;

	for (i = 0; i < 4; i++)
		code_run(at + i * PAGE);
	store_often(at, 1);
	below_stack = at;
	getcontext(&beside_stack);
	beside_stack.uc_stack.ss_sp = at + PAGE;
	beside_stack.uc_stack.ss_size = 15 * PAGE;
	beside_stack.uc_link = &before_stack;
	makecontext(&beside_stack, on_stack_beside, 0);
	must(swapcontext(&before_stack, &beside_stack) == 0, "swapcontext");
	say("%d", code_run(at));
}

/* ------------------------------------------------------------------- threads */

static unsigned char *shared_page;
static atomic_bool stop;
static atomic_long calls, wrong;

/* The function in the page, over and over. It returns an own word of the page,
 * in which the other thread counts. */
static void *call_often(void *unused)
{
	int before = 0, now;

	(void)unused;
	while (!stop) {
		now = (int)code_call(shared_page, NULL, 0, 0);
		if (now < before)
			wrong++;
		before = now;
		calls++;
	}
	return NULL;
}

/* Waits until the other has got on. */
static void let_call(void)
{
	long seen = calls;

	while (calls < seen + 2)
		sched_yield();
}

static void *count_often(void *word)
{
	volatile int *counter = word;
	int i;

	for (i = 1; i <= 100000; i++) {
		++*counter;
		if (i % 10000 == 0)
			let_call();
	}
	return NULL;
}

static void two_threads(void)
{
	pthread_t thread;

	give_up_after(200);
	shared_page = code_pages(1);
	code_load(shared_page, word_in(shared_page));
	must(pthread_create(&thread, NULL, call_often, NULL) == 0, "thread");
	let_call();
	count_often(word_in(shared_page));
	stop = true;
	pthread_join(thread, NULL);
	say("%d, backwards %ld, calls %d", *word_in(shared_page), wrong, calls >= 20);
}

static void *add_often(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < 5000; i++) {
		__atomic_fetch_add(word_in(shared_page), 1, __ATOMIC_SEQ_CST);
		code_call(shared_page + 32, NULL, 0, 0);
	}
	return NULL;
}

/* Two threads add in the page, by code of the program and by code in the page. */
static void locked_adds(void)
{
	pthread_t threads[3];
	int i;

	give_up_after(200);
	shared_page = code_pages(1);
	code_load(shared_page, word_in(shared_page));
	code_exchange_add(shared_page + 32, shared_page + OTHER_WORD);
	must(pthread_create(&threads[2], NULL, call_often, NULL) == 0, "thread");
	for (i = 0; i < 2; i++)
		must(pthread_create(&threads[i], NULL, add_often, NULL) == 0, "thread");
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	stop = true;
	pthread_join(threads[2], NULL);
	say("%d %d, backwards %ld", *word_in(shared_page),
	    *(int *)(void *)(shared_page + OTHER_WORD), wrong);
}

enum { PAIRS = 3000 };

/* The first page is everybody's, the next are one thread's each. */
static void *count_pairs(void *own)
{
	unsigned char *at = own;
	long i;

	for (i = 1; i <= PAIRS; i++) {
		if (code_call(at, NULL, 0, 0) != i)
			wrong++;
		if (code_call(shared_page + 64 * (i % 4), NULL, 0, 0) < i)
			wrong++;
	}
	return NULL;
}

/* Code counts in its own page, by an instruction that is seldom met. */
static void pairs(void)
{
	enum { THREADS = 4 };
	pthread_t threads[THREADS];
	unsigned char *own;
	int i;

	give_up_after(200);
	shared_page = code_pages(1 + THREADS);
	for (i = 0; i < 4; i++)
		code_count_pair(shared_page + 64 * i, word_in(shared_page));
	for (i = 0; i < THREADS; i++) {
		own = shared_page + (size_t)(1 + i) * PAGE;
		code_count_pair(own, word_in(own));
		must(pthread_create(&threads[i], NULL, count_pairs, own) == 0, "thread");
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	say("all: %d, wrong %ld", *word_in(shared_page), wrong);
	for (i = 0; i < THREADS; i++)
		say("%d", *word_in(shared_page + (size_t)(1 + i) * PAGE));
}

/* More such instructions than there is room for, in memory that comes and goes. */
static void many_pairs(void)
{
	long sum = 0;
	int n, i;

	for (n = 0; n < 30; n++) {
		unsigned char *at = code_pages_to_compare(2);

		for (i = 0; i < 63; i++)
			code_count_pair(at + 64 * i, at + PAGE - 64);
		for (i = 0; i < 63; i++)
			sum += code_call(at + 64 * i, NULL, 0, 0);
		/* The same again, and other instructions at the same place. */
		for (i = 0; i < 63; i++)
			sum += code_call(at + 64 * i, NULL, 0, 0);
		code_store_real(at);
		code_call(at, at + PAGE - 128, 0, 0);
		say_checksum("page", at + PAGE - 128, 128);
		if (n % 2)
			must(do_munmap(at, 2 * PAGE) == 0, "munmap");
	}
	say("%ld", sum);
}

/* At places that are far from each other, and a word that is far from its code. */
static void far_pairs(void)
{
	static const uintptr_t places[] = {
		0x10000000, 0x90000000, 0x7fff0000,
#if UINTPTR_MAX > UINT32_MAX
		0x200000000, 0x2000000000, 0x300000000000,
#endif
	};
	unsigned char *at;
	size_t i;
	int n;

	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		at = must_map((void *)places[i], PAGE, RWX,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		code_count_pair(at, word_in(at));
		for (n = 1; n <= 3; n++)
			say("%zu: %ld", i, code_call(at, NULL, 0, 0));
	}
	at = (void *)places[0];
	code_count_pair(at + 64, (unsigned char *)places[2] + OTHER_WORD);
	for (n = 1; n <= 3; n++)
		say("far: %ld", code_call(at + 64, NULL, 0, 0));
}

static int pattern(int i)
{
	return (i & 0xff) * 0x01010101;
}

/* Where a function begins, so that its operand is aligned. */
enum { ALIGNED = (4 - CODE_VALUE_AT % 4) % 4 };

static void *call_patterns(void *unused)
{
	int now;

	(void)unused;
	while (!stop) {
		now = code_run(shared_page + ALIGNED);
		if (now != pattern(now))
			wrong++;
		calls++;
	}
	return NULL;
}

/* The operand is aligned: whoever runs the function finds all of it. */
static void patch_while_run(void)
{
	volatile int *operand;
	pthread_t threads[2];
	int i;

	give_up_after(200);
	shared_page = code_pages(1);
	code_write(shared_page + ALIGNED, 0);
	operand = (volatile int *)(void *)(shared_page + ALIGNED + CODE_VALUE_AT);
	for (i = 0; i < 2; i++)
		must(pthread_create(&threads[i], NULL, call_patterns, NULL) == 0, "thread");
	for (i = 1; i <= 20000; i++) {
		*operand = pattern(i);
		if (i % 1000 == 0)
			let_call();
	}
	stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	say("last %#x, torn %ld", code_run(shared_page + ALIGNED), wrong);
}

static void *append(void *argument)
{
	unsigned char *at = argument;
	int i;

	for (i = 0; i < 2000; i++) {
		code_write(at + (i * 2 * CODE_ROOM) % (int)PAGE, i);
		if (code_run(at + (i * 2 * CODE_ROOM) % (int)PAGE) != i)
			wrong++;
		calls++;
	}
	return NULL;
}

/* Threads that each write functions and run them, in the very same pages. */
static void compilers(void)
{
	pthread_t threads[4];
	int i;

	give_up_after(200);
	shared_page = code_pages(2);
	for (i = 0; i < 4; i++)
		must(pthread_create(&threads[i], NULL, append,
				    shared_page + (i % 2 ? PAGE : 0) + (i / 2) * CODE_ROOM) == 0, "thread");
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	say("wrong %ld of %ld", wrong, calls);
	say_checksum("pages", shared_page, 2 * PAGE);
}

/* Memory that comes, is code, and goes, in several threads. */
static void *come_and_go(void *number)
{
	int own = *(int *)number, i;

	for (i = 0; i < 300; i++) {
		size_t pages = (size_t)(i + own) % 4 + 1;
		unsigned char *at = code_pages(pages), *last = at + (pages - 1) * PAGE;

		code_write(at, i);
		code_write(last + 64, own);
		if (code_run(at) != i || code_run(last + 64) != own)
			wrong++;
		if (do_mprotect(at, pages * PAGE, i % 2 ? RX : RW) != 0 ||
		    (i % 2 && code_run(last + 64) != own))
			wrong++;
		if (i % 3 == 0 &&
		    (do_madvise(at, PAGE, MADV_DONTNEED) != 0 || !all_bytes(at, PAGE, 0)))
			wrong++;
		if (do_munmap(at, pages * PAGE) != 0)
			wrong++;
		calls++;
	}
	return NULL;
}

static void churn(void)
{
	pthread_t threads[4];
	int numbers[4], i;

	give_up_after(200);
	for (i = 0; i < 4; i++) {
		numbers[i] = i;
		must(pthread_create(&threads[i], NULL, come_and_go, &numbers[i]) == 0, "thread");
	}
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	say("wrong %ld of %ld", wrong, calls);
}

/* What is unmapped, and not needed, is given back. */
static void given_back(void)
{
	size_t pages = 256, i;
	long before = 0;
	int n;

	for (n = 0; n < 60; n++) {
		unsigned char *at = code_pages(pages);

		for (i = 0; i < pages; i++) {
			code_write(at + i * PAGE, n);
			must(code_run(at + i * PAGE) == n, "code");
		}
		if (n % 2)
			must(do_madvise(at, pages * PAGE, MADV_DONTNEED) == 0, "madvise");
		must(do_munmap(at, pages * PAGE) == 0, "munmap");
		if (n == 5)
			before = kilobytes("smaps_rollup", "Pss") + kilobytes("status", "RssShmem");
	}
	say("bounded: %d", kilobytes("smaps_rollup", "Pss") + kilobytes("status", "RssShmem") <
	    before + 4096);
}

/* ---------------------------------------------------------------- the kernel */

/* Runs the page, so that it is code, and says how a call that stores in it
 * came out. */
static unsigned char *run_page(void)
{
	static unsigned char *at;

	if (!at)
		at = code_pages(4);
	memset(at, 0, 4 * PAGE);
	code_write(at, 1);
	code_write(at + PAGE, 2);
	code_write(at + 2 * PAGE, 3);
	must(code_run(at) + code_run(at + PAGE) + code_run(at + 2 * PAGE) == 6, "code");
	return at;
}

/* read(2) and its kin store functions, over two pages. */
static void kernel_reads(void)
{
	unsigned char code[256], *at;
	struct iovec parts[2];
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	int fd = temporary_file(PAGE), pair[2], i;
	FILE *stream;

	for (i = 0; i < 256; i += CODE_ROOM)
		code_write(code + i, 300 + i);
	must(pwrite(fd, code, sizeof(code), 0) == sizeof(code), "pwrite");
	must(lseek(fd, 0, SEEK_SET) == 0, "lseek");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");

	at = run_page();
	say_result("read", read(fd, at + PAGE - 128, 256));
	say("%d %d", code_run(at + PAGE - 128), code_run(at + PAGE + 64));
	at = run_page();
	say_result("pread", pread(fd, at + PAGE - 128, 256, 0));
	say("%d %d", code_run(at + PAGE - 128), code_run(at + PAGE + 64));
	at = run_page();
	parts[0] = (struct iovec){ at + 64, 64 };
	parts[1] = (struct iovec){ at + PAGE + 64, 192 };
	say_result("preadv", preadv(fd, parts, 2, 0));
	say("%d %d", code_run(at + 64), code_run(at + PAGE + 64));
	at = run_page();
	must(lseek(fd, 0, SEEK_SET) == 0, "lseek");
	say_result("readv", readv(fd, parts, 2));
	say("%d %d", code_run(at + 64), code_run(at + PAGE + 64));
	at = run_page();
	must(write(pair[0], code, 256) == 256, "write");
	say_result("recv", recv(pair[1], at + PAGE - 128, 256, 0));
	say("%d %d", code_run(at + PAGE - 128), code_run(at + PAGE + 64));
	at = run_page();
	must(write(pair[0], code, 256) == 256, "write");
	say_result("recvmsg", recvmsg(pair[1], &message, 0));
	say("%d %d", code_run(at + 64), code_run(at + PAGE + 64));
	at = run_page();
	must(lseek(fd, 0, SEEK_SET) == 0, "lseek");
	stream = fdopen(dup(fd), "r");
	setvbuf(stream, NULL, _IONBF, 0);
	say("fread: %zu", fread(at + PAGE - 128, 1, 256, stream));
	say("%d %d", code_run(at + PAGE - 128), code_run(at + PAGE + 64));
	fclose(stream);
	at = run_page();
	say_result("getrandom", getrandom(at + PAGE, 64, 0));
	say("%d", !all_bytes(at + PAGE, 64, 0));
	/* The other way: the kernel reads code. */
	at = run_page();
	say_result("write", write(pair[0], at, 2 * PAGE));
	say_result("read", read(pair[1], at + 2 * PAGE, 2 * PAGE));
	say("%d %d", code_run(at + 2 * PAGE), code_run(at + 3 * PAGE));
	/* What cannot be written by anybody. */
	say_result("rx", do_mprotect(at, 4 * PAGE, RX));
	say_result("pread", pread(fd, at, 16, 0));
	say_run("rx", at);
	close(fd);
}

/* Other calls that answer in memory of the program's. */
static void kernel_answers(void)
{
	unsigned char *at;
	struct timespec *moment;
	struct pollfd *polled;
	pid_t child;
	int *number;
	socklen_t *length;

	at = run_page();
	say_result("stat", stat("/", (struct stat *)(void *)(at + 256)));
	say("%d", S_ISDIR(((struct stat *)(void *)(at + 256))->st_mode));
	at = run_page();
	say_result("getcwd", getcwd((char *)at + 256, 512) ? 0 : -1);
	say("%c", at[256]);
	at = run_page();
	say_result("uname", uname((struct utsname *)(void *)(at + 256)));
	say("%s", (char *)at + 256);
	at = run_page();
	moment = (struct timespec *)(void *)(at + 256);
	say_result("clock_gettime", clock_gettime(CLOCK_MONOTONIC, moment));
	say("%d", !all_bytes(at + 256, sizeof(*moment), 0));
	at = run_page();
	number = (int *)(void *)(at + 256);
	say_result("pipe", pipe(number));
	polled = (struct pollfd *)(void *)(at + 512);
	*polled = (struct pollfd){ .fd = number[1], .events = POLLOUT };
	must(code_run(at) == 1, "code");
	say_result("poll", poll(polled, 1, 0));
	say("%d", polled->revents == POLLOUT);
	close(number[0]);
	close(number[1]);
	at = run_page();
	child = fork();
	if (child == 0)
		_exit(3);
	must(code_run(at) == 1, "code");
	say("waitpid: %d", waitpid(child, (int *)(void *)(at + 256), 0) == child);
	say("%#x", *(int *)(void *)(at + 256));
	at = run_page();
	length = (socklen_t *)(void *)(at + 256);
	*length = 4;
	must(code_run(at) == 1, "code");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)(void *)(at + 264)) == 0, "socketpair");
	number = (int *)(void *)(at + 264);
	must(code_run(at) == 1, "code");
	say_result("getsockopt", getsockopt(number[0], SOL_SOCKET, SO_TYPE, at + 280, length));
	say("%d", *(int *)(void *)(at + 280) == SOCK_STREAM);
	close(number[0]);
	close(number[1]);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "rewrite", rewrite },
		{ "rewrite-by-mprotect", rewrite_by_mprotect },
		{ "patch", patch },
		{ "loop", loop },
		{ "patch-next", patch_next },
		{ "counters", counters },
		{ "stores", stores },
		{ "seldom-stores", seldom_stores },
		{ "stores-across", stores_across },
		{ "save-vectors", save_vectors },
		{ "strings", strings },
		{ "stack", stack },
		{ "bulk", bulk },
		{ "beside", beside },
		{ "beside-mapped", beside_mapped },
		{ "stack-beside", stack_beside },
		{ "two-threads", two_threads },
		{ "locked-adds", locked_adds },
		{ "pairs", pairs },
		{ "many-pairs", many_pairs },
		{ "far-pairs", far_pairs },
		{ "patch-while-run", patch_while_run },
		{ "compilers", compilers },
		{ "churn", churn },
		{ "given-back", given_back },
		{ "kernel-reads", kernel_reads },
		{ "kernel-answers", kernel_answers },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
