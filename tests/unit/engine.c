/* engine.c: the engine by itself, behind a door of the test's: no hook, no
 * handler, one thread. The policy is a list, so that nothing need be refused. */
#define _GNU_SOURCE
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "codepages.h"
#include "sys.h"
#include "tap.h"

#define PAGE 4096UL
#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)

static struct event last;
static struct request last_request;
static int events;

static void keep_event(const struct event *event)
{
	last = *event;
	last_request = *event->request;
	events++;
}

static bool faults_are_guarded(void)
{
	return true;
}

static const struct door door = { .report = keep_event, .guard_faults = faults_are_guarded };

static long protect(void *address, size_t length, int protection)
{
	struct request request = {
		.call = CALL_MPROTECT, .address = (uintptr_t)address, .length = length,
		.protection = protection, .pkey = -1, .fd = -1, .call_site = 0x1234,
	};

	return engine_mprotect(&request);
}

static int run(void *code)
{
	return ((int (*)(void))(uintptr_t)code)();
}

#ifdef __aarch64__
/* ldr w0, . + 8; ret */
static const unsigned char return_42[] = { 0x40, 0, 0, 0x18, 0xc0, 3, 0x5f, 0xd6, 42, 0, 0, 0 };
enum { VALUE_AT = 8 };
#else
enum { VALUE_AT = 1 };
static const unsigned char return_42[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
#endif

static void heap_page(void)
{
	unsigned char *pages = (unsigned char *)(((uintptr_t)sbrk(4 * PAGE) + PAGE - 1) & -PAGE);

	memcpy(pages, return_42, sizeof return_42);
	pages[PAGE] = 7;
	SAME(protect(pages, PAGE, RWX), 0, "a heap page becomes executable");
	SAME(last.outcome, OUTCOME_MOVED, "by a move");
	SAME(last.danger, DANGER_EXECHEAP, "because it is heap");
	CHECK(last.expected && last.refused, "as the list said");
	SAME((long long)last_request.call_site, 0x1234, "the call site is handed on");
	SAME(run(pages), 42, "it runs where it was");
	SAME(pages[PAGE], 7, "its neighbour is untouched");
	SAME(codepages_get((uintptr_t)pages).state, PAGE_PLAIN, "the table knows it");
	SAME(protect(pages, PAGE, PROT_READ | PROT_WRITE), 0, "it becomes data");
	pages[VALUE_AT] = 43;
	__builtin___clear_cache((char *)pages, (char *)pages + sizeof return_42);
	SAME(protect(pages, 2 * PAGE, PROT_READ | PROT_EXEC), 0, "and code, with its neighbour");
	SAME(run(pages), 43, "it runs as written");
	SAME(engine_munmap((uintptr_t)pages, PAGE), 0, "it can be unmapped");
	SAME(codepages_get((uintptr_t)pages).state, PAGE_UNKNOWN, "and is forgotten");
}

static void file_page(void)
{
	char name[] = "/tmp/jitmend-unit-XXXXXX";
	int fd = mkstemp(name);
	unsigned char *page;

	unlink(name);
	if (ftruncate(fd, PAGE))
		return;
	page = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	memcpy(page, return_42, sizeof return_42);
	SAME(protect(page, 3 * PAGE, RWX), 0, "a written file page becomes executable");
	SAME(last.outcome, OUTCOME_COPIED, "by a copy");
	SAME(run(page), 42, "it runs where it was");
	close(fd);
}

static void ranges(void)
{
	char *pages = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(pages + PAGE, PAGE);
	SAME(protect(pages, 3 * PAGE, PROT_READ | PROT_EXEC), -ENOMEM, "a hole ends it as natively");
	SAME(protect(pages + 1, PAGE, RWX), -EINVAL, "an odd address is the kernel's to refuse");
	SAME(protect(pages, 0, RWX), 0, "an empty range is good");
	SAME(protect(pages, PAGE, 0x70000000), -EINVAL, "unknown bits are the kernel's to refuse");
	SAME(protect(pages, -PAGE, RWX), -ENOMEM, "a range around the end of memory too");
}

static void dev_zero(void)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	struct request request = {
		.call = CALL_MMAP, .length = PAGE, .protection = PROT_READ | PROT_WRITE, .pkey = -1,
		.flags = MAP_PRIVATE, .fd = fd,
	};
	long made = engine_mmap(&request);

	CHECK(!sys_failed(made), "/dev/zero is mapped");
	SAME(last.outcome, OUTCOME_ANONYMOUS, "as anonymous memory");
	events = 0;
	request.flags = MAP_SHARED;
	CHECK(!sys_failed(engine_mmap(&request)) && events == 0, "a shared mapping is passed on");
	close(fd);
	fd = open("/dev/zero", O_WRONLY | O_CLOEXEC);
	request.flags = MAP_PRIVATE;
	request.fd = fd;
	SAME(engine_mmap(&request), -EACCES, "a descriptor only to write to is refused as ever");
	close(fd);
	request.fd = 12345;
	SAME(engine_mmap(&request), -EBADF, "a bad descriptor too");
}

int main(void)
{
	struct settings settings = { .mode = MODE_MEND, .policy = POLICY_EXECHEAP | POLICY_EXECMOD };

	engine_begin(&settings, &door);
	heap_page();
	file_page();
	ranges();
	dev_zero();
	return tap_done();
}
