/* ask.c: makes requests for executable memory by name, and prints for each
 * what came of it: "ok", the name of an errno, "wrong" (the memory was given,
 * but code in it does not return 42), or "unavailable" (this machine lacks what
 * the request starts from).
 *
 *     ask [--syscall|--raw] [--fork] NAME...
 *     ask --list
 *
 * Calls go through libc's functions, through syscall(), or by the instruction
 * itself, which no preload sees. With --fork each request has a process of its
 * own. Exit status: 0 all ok, 1 some not, 2 bad usage. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, R = PROT_READ, W = PROT_WRITE, X = PROT_EXEC };
enum { ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS };

/* What a request may come to beside 0 and -1 with errno. */
enum { WRONG = 1, UNAVAILABLE = 2 };

#ifdef __aarch64__
/* mov w0, #42; ret */
static const unsigned char code[] = { 0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6 };
#else
/* mov eax, 42; ret. The same on x86_64 and i386. */
static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
#endif

/* ------------------------------------------------ three ways to make a call */

static enum { BY_LIBC, BY_SYSCALL, BY_INSTRUCTION } way;

static long instruction(long number, long a, long b, long c, long d, long e, long f)
{
#ifdef __x86_64__
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	if (result < 0 && result > -4096) {
		errno = (int)-result;
		return -1;
	}
	return result;
#else
	return syscall(number, a, b, c, d, e, f);
#endif
}

static long make(long number, long a, long b, long c, long d, long e, long f)
{
	if (way == BY_INSTRUCTION)
		return instruction(number, a, b, c, d, e, f);
	return syscall(number, a, b, c, d, e, f);
}

static void *map(void *at, size_t length, int protection, int flags, int fd)
{
	if (way == BY_LIBC)
		return mmap(at, length, protection, flags, fd, 0);
#ifdef SYS_mmap2
	return (void *)make(SYS_mmap2, (long)at, (long)length, protection, flags, fd, 0);
#else
	return (void *)make(SYS_mmap, (long)at, (long)length, protection, flags, fd, 0);
#endif
}

static int protect(void *at, size_t length, int protection)
{
	if (way == BY_LIBC)
		return mprotect(at, length, protection);
	return (int)make(SYS_mprotect, (long)at, (long)length, protection, 0, 0, 0);
}

static void *attach(int segment, int flags)
{
	if (way == BY_LIBC)
		return shmat(segment, NULL, flags);
#ifdef SYS_shmat
	return (void *)make(SYS_shmat, segment, 0, flags, 0, 0, 0);
#else
	return shmat(segment, NULL, flags);
#endif
}

/* ------------------------------------------------------------------- pieces */

static void put_code(void *at)
{
	memcpy(at, code, sizeof code);
	__builtin___clear_cache((char *)at, (char *)at + sizeof code);
}

static int run(void *at)
{
	int (*function)(void);

	memcpy(&function, &at, sizeof function);
	return function() == 42 ? 0 : WRONG;
}

static int run_mapped(void *at)
{
	return at == MAP_FAILED ? -1 : run(at);
}

static int fill_and_run(void *at)
{
	if (at == MAP_FAILED)
		return -1;
	put_code(at);
	return run(at);
}

/* Write, then turn. */
static int turn(void *at, int protection)
{
	if (at == MAP_FAILED)
		return UNAVAILABLE;
	put_code(at);
	if (protect(at, PAGE, protection) != 0)
		return -1;
	return run(at);
}

/* The middle one of three pages of the brk, all of them written. */
static void *heap_page(void)
{
	uintptr_t now = (uintptr_t)sbrk(0);
	char *at;

	if (sbrk((intptr_t)(-now & (PAGE - 1))) == (void *)-1)
		return MAP_FAILED;
	at = sbrk(3 * PAGE);
	if (at == (void *)-1)
		return MAP_FAILED;
	memset(at, 1, 3 * PAGE);
	return at + PAGE;
}

static int memfd(void)
{
	int fd = memfd_create("ask", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, PAGE) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int file(void)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	int fd;

	snprintf(path, sizeof path, "%s/ask-XXXXXX", folder ? folder : "/tmp");
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -1;
	unlink(path);
	if (ftruncate(fd, PAGE) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int devzero(void)
{
	return open("/dev/zero", O_RDWR | O_CLOEXEC);
}

/* Takes the descriptor over. */
static void *map_once(void *at, int fd, int protection, int flags)
{
	void *mapped;
	int error;

	if (fd < 0)
		return MAP_FAILED;
	mapped = map(at, PAGE, protection, flags, fd);
	error = errno;
	close(fd);
	errno = error;
	return mapped;
}

/* ----------------------------------------------------------------- anonymous */

static int anon_rwx(void)
{
	return fill_and_run(map(NULL, PAGE, R | W | X, ANONYMOUS, -1));
}

static int anon_rx(void)
{
	return map(NULL, PAGE, R | X, ANONYMOUS, -1) == MAP_FAILED ? -1 : 0;
}

static int anon_rw_rx(void)
{
	return turn(map(NULL, PAGE, R | W, ANONYMOUS, -1), R | X);
}

static int anon_rw_rwx(void)
{
	return turn(map(NULL, PAGE, R | W, ANONYMOUS, -1), R | W | X);
}

static int anon_pkey_rx(void)
{
	void *at = map(NULL, PAGE, R | W, ANONYMOUS, -1);

	if (at == MAP_FAILED)
		return UNAVAILABLE;
	put_code(at);
	if (way == BY_LIBC ? pkey_mprotect(at, PAGE, R | X, -1) :
			     (int)make(SYS_pkey_mprotect, (long)at, PAGE, R | X, -1, 0, 0))
		return -1;
	return run(at);
}

/* A page, then nothing: ENOMEM, and the page is turned all the same. */
static int anon_hole_rx(void)
{
	char *at = map(NULL, 2 * PAGE, R | W, ANONYMOUS, -1);

	if (at == MAP_FAILED || munmap(at + PAGE, PAGE) != 0)
		return UNAVAILABLE;
	put_code(at);
	return protect(at, 2 * PAGE, R | X) != 0 ? -1 : run(at);
}

static int shared_anon_rwx(void)
{
	return fill_and_run(map(NULL, PAGE, R | W | X, MAP_SHARED | MAP_ANONYMOUS, -1));
}

static int shared_anon_rw_rx(void)
{
	return turn(map(NULL, PAGE, R | W, MAP_SHARED | MAP_ANONYMOUS, -1), R | X);
}

static int anon_wx(void)
{
	return fill_and_run(map(NULL, PAGE, W | X, ANONYMOUS, -1));
}

static int anon_x(void)
{
	return map(NULL, PAGE, X, ANONYMOUS, -1) == MAP_FAILED ? -1 : 0;
}

static int anon_none_rx(void)
{
	void *at = map(NULL, PAGE, PROT_NONE, ANONYMOUS, -1);

	return at == MAP_FAILED ? UNAVAILABLE : protect(at, PAGE, R | X);
}

static int anon_rw_x(void)
{
	return turn(map(NULL, PAGE, R | W, ANONYMOUS, -1), X);
}

static int anon_noreserve_rwx(void)
{
	return fill_and_run(map(NULL, PAGE, R | W | X, ANONYMOUS | MAP_NORESERVE, -1));
}

static int anon_low_rwx(void)
{
#ifdef MAP_32BIT
	return fill_and_run(map(NULL, PAGE, R | W | X, ANONYMOUS | MAP_32BIT, -1));
#else
	return UNAVAILABLE;
#endif
}

static int anon_growsdown_rwx(void)
{
	return fill_and_run(map(NULL, PAGE, R | W | X, ANONYMOUS | MAP_GROWSDOWN, -1));
}

/* What is executable is made writable as well. */
static int anon_rx_rwx(void)
{
	void *at = map(NULL, PAGE, R | X, ANONYMOUS, -1);

	if (at == MAP_FAILED || protect(at, PAGE, R | W | X) != 0)
		return -1;
	return fill_and_run(at);
}

static int anon_moved_rx(void)
{
	void *at = map(NULL, PAGE, R | W, ANONYMOUS, -1);

	if (at == MAP_FAILED)
		return UNAVAILABLE;
	return turn(mremap(at, PAGE, 4 * PAGE, MREMAP_MAYMOVE), R | X);
}

/* Two mappings: the first is a file's and untouched, the second anonymous. */
static int file_and_anon_rx(void)
{
	char *at = map(NULL, 2 * PAGE, R | W, ANONYMOUS, -1);
	int fd = file();

	if (at == MAP_FAILED || map_once(at, fd, R, MAP_SHARED | MAP_FIXED) == MAP_FAILED)
		return UNAVAILABLE;
	return protect(at, 2 * PAGE, R | X);
}

/* ... of which the first is changed though the second is refused. */
static int file_and_anon_first(void)
{
	char *at = map(NULL, 2 * PAGE, R | W, ANONYMOUS, -1);
	int fd = file();

	if (at == MAP_FAILED || pwrite(fd, code, sizeof code, 0) < 0 ||
	    map_once(at, fd, R, MAP_SHARED | MAP_FIXED) == MAP_FAILED)
		return UNAVAILABLE;
	protect(at, 2 * PAGE, R | X);
	return run(at);
}

/* ----------------------------------------------------------------- brk heap */

static int malloc_rwx(void)
{
	void *at;

	return posix_memalign(&at, PAGE, PAGE) != 0 ? UNAVAILABLE : turn(at, R | W | X);
}

static int brk_rx(void)
{
	return turn(heap_page(), R | X);
}

static int brk_rwx(void)
{
	return turn(heap_page(), R | W | X);
}

static void *over_heap(int protection, int flags, int fd)
{
	void *at = heap_page();

	return at == MAP_FAILED ? at : map(at, PAGE, protection, flags | MAP_FIXED, fd);
}

static int brk_replaced_rx(void)
{
	return turn(over_heap(R | W, ANONYMOUS, -1), R | X);
}

static int brk_moved_rx(void)
{
	void *heap = heap_page(), *aside = map(NULL, PAGE, R | W, ANONYMOUS, -1);

	if (heap == MAP_FAILED || aside == MAP_FAILED)
		return UNAVAILABLE;
	put_code(aside);
	if (protect(aside, PAGE, R | X) != 0)
		return -1;
	return run_mapped(mremap(aside, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, heap));
}

static int brk_mapped_rwx(void)
{
	return fill_and_run(over_heap(R | W | X, ANONYMOUS, -1));
}

static void *memfd_over_heap(int protection)
{
	int fd = memfd();
	void *at;

	if (fd < 0 || pwrite(fd, code, sizeof code, 0) < 0)
		return MAP_FAILED;
	at = over_heap(protection, MAP_SHARED, fd);
	close(fd);
	return at;
}

static int brk_memfd_rx(void)
{
	return run_mapped(memfd_over_heap(R | X));
}

static int brk_memfd_rwx(void)
{
	return fill_and_run(memfd_over_heap(R | W | X));
}

static int brk_memfd_rw_rx(void)
{
	return turn(memfd_over_heap(R | W), R | X);
}

static int brk_x(void)
{
	return turn(heap_page(), X);
}

static int brk_pkey_rx(void)
{
	void *at = heap_page();

	if (at == MAP_FAILED)
		return UNAVAILABLE;
	put_code(at);
	if (way == BY_LIBC ? pkey_mprotect(at, PAGE, R | X, -1) :
			     (int)make(SYS_pkey_mprotect, (long)at, PAGE, R | X, -1, 0, 0))
		return -1;
	return run(at);
}

/* A brk in the middle of a page: the mapping reaches past it. */
static int brk_odd_rx(void)
{
	char *at = heap_page();
	int result;

	if (at == MAP_FAILED || sbrk(-100) == (void *)-1)
		return UNAVAILABLE;
	result = turn(at + PAGE, R | X);
	/* malloc goes on where the heap ends. */
	if (result == 0)
		protect(at + PAGE, PAGE, R | W);
	return result;
}

/* Anonymous memory right behind the heap, one mapping with it. */
static int brk_behind_rx(void)
{
	char *at = heap_page(), *behind = at + 2 * PAGE;

	if (at == MAP_FAILED ||
	    map(behind, PAGE, R | W, ANONYMOUS | MAP_FIXED_NOREPLACE, -1) != behind)
		return UNAVAILABLE;
	return turn(behind, R | X);
}

/* All that the heap is at once. */
static int brk_whole_rwx(void)
{
	char *at = heap_page();

	if (at == MAP_FAILED)
		return UNAVAILABLE;
	put_code(at);
	return protect(at - PAGE, 3 * PAGE, R | W | X) != 0 ? -1 : run(at);
}

static int brk_devzero_rx(void)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	void *at = fd < 0 ? MAP_FAILED : over_heap(R | W, MAP_PRIVATE, fd);

	return turn(at, R | X);
}

/* ---------------------------------------------------------------- /dev/zero */

static int devzero_rwx(void)
{
	return fill_and_run(map_once(NULL, devzero(), R | W | X, MAP_PRIVATE));
}

static int devzero_written_rx(void)
{
	return turn(map_once(NULL, devzero(), R | W, MAP_PRIVATE), R | X);
}

static int devzero_untouched_rx(void)
{
	void *at = map_once(NULL, devzero(), R | W, MAP_PRIVATE);

	return at == MAP_FAILED ? UNAVAILABLE : protect(at, PAGE, R | X);
}

static int devzero_rx(void)
{
	return map_once(NULL, devzero(), R | X, MAP_PRIVATE) == MAP_FAILED ? -1 : 0;
}

static int devzero_shared_rwx(void)
{
	return fill_and_run(map_once(NULL, devzero(), R | W | X, MAP_SHARED));
}

static int devzero_shared_rw_rx(void)
{
	return turn(map_once(NULL, devzero(), R | W, MAP_SHARED), R | X);
}

/* -------------------------------------------------------------------- files */

static int file_rwx(void)
{
	return fill_and_run(map_once(NULL, file(), R | W | X, MAP_PRIVATE));
}

static int file_written_rx(void)
{
	return turn(map_once(NULL, file(), R | W, MAP_PRIVATE), R | X);
}

static int file_untouched_rx(void)
{
	void *at = map_once(NULL, file(), R | W, MAP_PRIVATE);

	return at == MAP_FAILED ? UNAVAILABLE : protect(at, PAGE, R | X);
}

static int file_replaced_rx(void)
{
	void *at = map_once(NULL, file(), R | W, MAP_PRIVATE);

	if (at == MAP_FAILED)
		return UNAVAILABLE;
	return turn(map(at, PAGE, R | W, ANONYMOUS | MAP_FIXED, -1), R | X);
}

static int file_shared_rx(void)
{
	int fd = file();

	if (fd < 0 || pwrite(fd, code, sizeof code, 0) < 0)
		return UNAVAILABLE;
	return run_mapped(map_once(NULL, fd, R | X, MAP_SHARED));
}

static int file_rx(void)
{
	int fd = file();

	if (fd < 0 || pwrite(fd, code, sizeof code, 0) < 0)
		return UNAVAILABLE;
	return run_mapped(map_once(NULL, fd, R | X, MAP_PRIVATE));
}

static int file_written_rwx(void)
{
	return turn(map_once(NULL, file(), R | W, MAP_PRIVATE), R | W | X);
}

static int file_shared_rwx(void)
{
	return fill_and_run(map_once(NULL, file(), R | W | X, MAP_SHARED));
}

static int file_shared_rw_rx(void)
{
	return turn(map_once(NULL, file(), R | W, MAP_SHARED), R | X);
}

/* Written, then given back: the kernel remembers. */
static int file_dropped_rx(void)
{
	unsigned char *at = map_once(NULL, file(), R | W, MAP_PRIVATE);

	if (at == MAP_FAILED)
		return UNAVAILABLE;
	*at = 1;
	if (madvise(at, PAGE, MADV_DONTNEED) != 0)
		return UNAVAILABLE;
	return protect(at, PAGE, R | X);
}

/* Of two pages the first is written, and the second made executable: alone, or as
 * a mapping of its own by now. */
static int second_page(bool split)
{
	int fd = file();
	unsigned char *at;

	if (fd < 0 || ftruncate(fd, 2 * PAGE) != 0)
		return UNAVAILABLE;
	at = map(NULL, 2 * PAGE, R | W, MAP_PRIVATE, fd);
	close(fd);
	if (at == MAP_FAILED)
		return UNAVAILABLE;
	*at = 1;
	if (split && protect(at + PAGE, PAGE, R) != 0)
		return UNAVAILABLE;
	return protect(at + PAGE, PAGE, R | X);
}

static int file_beside_rx(void)
{
	return second_page(false);
}

static int file_split_rx(void)
{
	return second_page(true);
}

static unsigned char data[3 * PAGE] = { 1 };
static unsigned char zeros[3 * PAGE];

static void *page_of(unsigned char *array)
{
	return (void *)(((uintptr_t)array + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
}

static int data_rx(void)
{
	return turn(page_of(data), R | X);
}

static int bss_rx(void)
{
	return turn(page_of(zeros), R | X);
}

static int vdso_rwx(void)
{
	void *at = (void *)getauxval(AT_SYSINFO_EHDR);

	return !at ? UNAVAILABLE : protect(at, PAGE, R | W | X);
}

/* Executable as it is: asks for nothing new. */
static int text_rx(void)
{
	uintptr_t at = (uintptr_t)&text_rx & ~(uintptr_t)(PAGE - 1);

	return protect((void *)at, PAGE, R | X);
}

static int text_rwx(void)
{
	uintptr_t at = (uintptr_t)&text_rwx & ~(uintptr_t)(PAGE - 1);

	return protect((void *)at, PAGE, R | W | X);
}

/* What a debugger or a patcher does: writes, and gives the permission back. */
static int text_rw_rx(void)
{
	unsigned char *at = map_once(NULL, open("/proc/self/exe", O_RDONLY | O_CLOEXEC), R | X,
				     MAP_PRIVATE);

	if (at == MAP_FAILED || protect(at, PAGE, R | W) != 0)
		return UNAVAILABLE;
	*at = 1;
	return protect(at, PAGE, R | X);
}

static int bad_fd_rwx(void)
{
	return fill_and_run(map(NULL, PAGE, R | W | X, MAP_PRIVATE, 9999));
}

/* -------------------------------------------------------------------- stack */

static int stack_rwx(void)
{
	char room[2 * PAGE];
	uintptr_t at = ((uintptr_t)room + PAGE - 1) & ~(uintptr_t)(PAGE - 1);

	return turn((void *)at, R | W | X);
}

static int stack_rx(void)
{
	char room[4 * PAGE];
	uintptr_t at = ((uintptr_t)room + PAGE - 1) & ~(uintptr_t)(PAGE - 1);

	/* Not the page that is in use. */
	return protect((void *)at, PAGE, R | X);
}

/* What a thread gives another to use: not the stack of the one that asks. */
static void *stack_of_main;

static void *in_other_thread(void *result)
{
	*(int *)result = protect(stack_of_main, PAGE, R | W | X);
	return errno == 0 ? NULL : (void *)(intptr_t)errno;
}

static void *in_thread(void *result)
{
	*(int *)result = stack_rwx();
	return errno == 0 ? NULL : (void *)(intptr_t)errno;
}

static int in_a_thread(void *(*function)(void *))
{
	pthread_t thread;
	void *error;
	int result;

	if (pthread_create(&thread, NULL, function, &result) != 0)
		return UNAVAILABLE;
	pthread_join(thread, &error);
	errno = (int)(intptr_t)error;
	return result;
}

static int thread_stack_rwx(void)
{
	return in_a_thread(in_thread);
}

static int main_stack_rwx(void)
{
	char room[2 * PAGE];

	stack_of_main = page_of((unsigned char *)room);
	return in_a_thread(in_other_thread);
}

/* -------------------------------------------------------------------- memfd */

static int memfd_dual(void)
{
	int fd = memfd();
	void *writable = map(NULL, PAGE, R | W, MAP_SHARED, fd);
	void *executable = map_once(NULL, fd, R | X, MAP_SHARED);

	if (writable == MAP_FAILED || executable == MAP_FAILED)
		return -1;
	put_code(writable);
	return run(executable);
}

static int memfd_shared_rwx(void)
{
	return fill_and_run(map_once(NULL, memfd(), R | W | X, MAP_SHARED));
}

static int memfd_shared_rw_rx(void)
{
	return turn(map_once(NULL, memfd(), R | W, MAP_SHARED), R | X);
}

static int memfd_private_rwx(void)
{
	return fill_and_run(map_once(NULL, memfd(), R | W | X, MAP_PRIVATE));
}

static int memfd_private_rx(void)
{
	int fd = memfd();

	if (fd < 0 || pwrite(fd, code, sizeof code, 0) < 0)
		return UNAVAILABLE;
	return run_mapped(map_once(NULL, fd, R | X, MAP_PRIVATE));
}

static int memfd_private_rw_rx(void)
{
	return turn(map_once(NULL, memfd(), R | W, MAP_PRIVATE), R | X);
}

static int memfd_shared_rx_rwx(void)
{
	void *at = map_once(NULL, memfd(), R | X, MAP_SHARED);

	if (at == MAP_FAILED || protect(at, PAGE, R | W | X) != 0)
		return -1;
	return fill_and_run(at);
}

static int memfd_untouched_rx(void)
{
	void *at = map_once(NULL, memfd(), R | W, MAP_PRIVATE);

	return at == MAP_FAILED ? UNAVAILABLE : protect(at, PAGE, R | X);
}

/* A second mapping of the same pages. */
static int memfd_again_rx(void)
{
	void *at = map_once(NULL, memfd(), R | W, MAP_SHARED);

	if (at == MAP_FAILED)
		return UNAVAILABLE;
	return turn(mremap(at, 0, PAGE, MREMAP_MAYMOVE), R | X);
}

static int memfd_flip(void)
{
	int fd = memfd();
	void *at = map(NULL, PAGE, R | W, MAP_SHARED, fd);

	if (at == MAP_FAILED)
		return -1;
	put_code(at);
	return run_mapped(map_once(at, fd, R | X, MAP_SHARED | MAP_FIXED));
}

/* ------------------------------------------------------------- System V, etc. */

static int with_segment(int flags, bool turned)
{
	int segment = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0700), result, error;
	void *at;

	if (segment < 0)
		return UNAVAILABLE;
	at = attach(segment, flags);
	error = errno;
	shmctl(segment, IPC_RMID, NULL);
	errno = error;
	if (at == MAP_FAILED)
		return -1;
	result = turned ? turn(at, R | X) : fill_and_run(at);
	error = errno;
	shmdt(at);
	errno = error;
	return result;
}

static int shmat_exec(void)
{
	return with_segment(SHM_EXEC, false);
}

static int shmat_rw_rx(void)
{
	return with_segment(0, true);
}

static int shmat_exec_read(void)
{
	int segment = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0700), error;
	void *at;

	if (segment < 0)
		return UNAVAILABLE;
	at = attach(segment, SHM_EXEC | SHM_RDONLY);
	error = errno;
	shmctl(segment, IPC_RMID, NULL);
	errno = error;
	return at == MAP_FAILED ? -1 : 0;
}

static int under_read_implies_exec(int (*request)(void))
{
	int before = personality(0xffffffff), result, error;

	if (before < 0 || personality((unsigned long)before | READ_IMPLIES_EXEC) < 0)
		return UNAVAILABLE;
	result = request();
	error = errno;
	personality((unsigned long)before);
	errno = error;
	return result;
}

static int anon_rw(void)
{
	return fill_and_run(map(NULL, PAGE, R | W, ANONYMOUS, -1));
}

static int anon_none_r(void)
{
	void *at = map(NULL, PAGE, PROT_NONE, ANONYMOUS, -1);

	return at == MAP_FAILED ? UNAVAILABLE : protect(at, PAGE, R);
}

static int file_r(void)
{
	int fd = file();

	if (fd < 0 || pwrite(fd, code, sizeof code, 0) < 0)
		return UNAVAILABLE;
	return run_mapped(map_once(NULL, fd, R, MAP_SHARED));
}

static int rie_anon_rw(void)
{
	return under_read_implies_exec(anon_rw);
}

/* Taken before: what the heap grows by under that personality is executable. */
static void *heap_before;

static int heap_r(void)
{
	return turn(heap_before, R);
}

static int rie_brk_r(void)
{
	heap_before = heap_page();
	return under_read_implies_exec(heap_r);
}

static int rie_anon_r(void)
{
	return under_read_implies_exec(anon_none_r);
}

static int rie_file_r(void)
{
	return under_read_implies_exec(file_r);
}

/* --------------------------------------------------------------------- main */

static const struct request {
	const char *name;
	int (*function)(void);
} requests[] = {
	{ "anon-rwx", anon_rwx },
	{ "anon-rx", anon_rx },
	{ "anon-rw-rx", anon_rw_rx },
	{ "anon-rw-rwx", anon_rw_rwx },
	{ "anon-pkey-rx", anon_pkey_rx },
	{ "anon-hole-rx", anon_hole_rx },
	{ "shared-anon-rwx", shared_anon_rwx },
	{ "shared-anon-rw-rx", shared_anon_rw_rx },
	{ "malloc-rwx", malloc_rwx },
	{ "brk-rx", brk_rx },
	{ "brk-rwx", brk_rwx },
	{ "brk-replaced-rx", brk_replaced_rx },
	{ "brk-moved-rx", brk_moved_rx },
	{ "brk-mapped-rwx", brk_mapped_rwx },
	{ "brk-memfd-rx", brk_memfd_rx },
	{ "brk-memfd-rwx", brk_memfd_rwx },
	{ "brk-memfd-rw-rx", brk_memfd_rw_rx },
	{ "devzero-rwx", devzero_rwx },
	{ "devzero-written-rx", devzero_written_rx },
	{ "devzero-untouched-rx", devzero_untouched_rx },
	{ "file-rwx", file_rwx },
	{ "file-written-rx", file_written_rx },
	{ "file-untouched-rx", file_untouched_rx },
	{ "file-replaced-rx", file_replaced_rx },
	{ "file-shared-rx", file_shared_rx },
	{ "text-rx", text_rx },
	{ "bad-fd-rwx", bad_fd_rwx },
	{ "stack-rwx", stack_rwx },
	{ "thread-stack-rwx", thread_stack_rwx },
	{ "memfd-dual", memfd_dual },
	{ "memfd-shared-rwx", memfd_shared_rwx },
	{ "memfd-shared-rw-rx", memfd_shared_rw_rx },
	{ "memfd-private-rwx", memfd_private_rwx },
	{ "memfd-private-rx", memfd_private_rx },
	{ "memfd-private-rw-rx", memfd_private_rw_rx },
	{ "memfd-flip", memfd_flip },
	{ "shmat-exec", shmat_exec },
	{ "shmat-rw-rx", shmat_rw_rx },
	{ "rie-anon-rw", rie_anon_rw },
	{ "rie-brk-r", rie_brk_r },
	{ "anon-wx", anon_wx },
	{ "anon-x", anon_x },
	{ "anon-none-rx", anon_none_rx },
	{ "anon-rw-x", anon_rw_x },
	{ "anon-noreserve-rwx", anon_noreserve_rwx },
	{ "anon-low-rwx", anon_low_rwx },
	{ "anon-growsdown-rwx", anon_growsdown_rwx },
	{ "anon-rx-rwx", anon_rx_rwx },
	{ "anon-moved-rx", anon_moved_rx },
	{ "file-and-anon-rx", file_and_anon_rx },
	{ "file-and-anon-first", file_and_anon_first },
	{ "brk-x", brk_x },
	{ "brk-pkey-rx", brk_pkey_rx },
	{ "brk-odd-rx", brk_odd_rx },
	{ "brk-behind-rx", brk_behind_rx },
	{ "brk-whole-rwx", brk_whole_rwx },
	{ "brk-devzero-rx", brk_devzero_rx },
	{ "devzero-rx", devzero_rx },
	{ "devzero-shared-rwx", devzero_shared_rwx },
	{ "devzero-shared-rw-rx", devzero_shared_rw_rx },
	{ "file-rx", file_rx },
	{ "file-written-rwx", file_written_rwx },
	{ "file-shared-rwx", file_shared_rwx },
	{ "file-shared-rw-rx", file_shared_rw_rx },
	{ "file-dropped-rx", file_dropped_rx },
	{ "file-beside-rx", file_beside_rx },
	{ "file-split-rx", file_split_rx },
	{ "data-rx", data_rx },
	{ "bss-rx", bss_rx },
	{ "vdso-rwx", vdso_rwx },
	{ "text-rwx", text_rwx },
	{ "text-rw-rx", text_rw_rx },
	{ "stack-rx", stack_rx },
	{ "main-stack-rwx", main_stack_rwx },
	{ "memfd-shared-rx-rwx", memfd_shared_rx_rwx },
	{ "memfd-untouched-rx", memfd_untouched_rx },
	{ "memfd-again-rx", memfd_again_rx },
	{ "shmat-exec-read", shmat_exec_read },
	{ "rie-anon-r", rie_anon_r },
	{ "rie-file-r", rie_file_r },
};

enum { REQUESTS = sizeof requests / sizeof *requests };

static int answer(const struct request *request)
{
	int result;

	errno = 0;
	result = request->function();
	if (result == 0)
		printf("%s: ok\n", request->name);
	else if (result == WRONG)
		printf("%s: wrong\n", request->name);
	else if (result == UNAVAILABLE)
		printf("%s: unavailable\n", request->name);
	else
		printf("%s: %s\n", request->name, strerrorname_np(errno));
	fflush(stdout);
	return result != 0;
}

static int answer_in_child(const struct request *request)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(answer(request));
	if (child < 0 || waitpid(child, &status, 0) != child) {
		printf("%s: unavailable\n", request->name);
		return 1;
	}
	if (WIFSIGNALED(status))
		printf("%s: SIG%s\n", request->name, sigabbrev_np(WTERMSIG(status)));
	fflush(stdout);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static const struct request *find(const char *name)
{
	for (int i = 0; i < REQUESTS; i++)
		if (strcmp(requests[i].name, name) == 0)
			return &requests[i];
	fprintf(stderr, "ask: no request is named '%s'\n", name);
	exit(2);
}

static int list(void)
{
	for (int i = 0; i < REQUESTS; i++)
		puts(requests[i].name);
	return 0;
}

int main(int argc, char **argv)
{
	bool forks = false;
	int status = 0, i;

	for (i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--syscall") == 0)
			way = BY_SYSCALL;
		else if (strcmp(argv[i], "--raw") == 0)
			way = BY_INSTRUCTION;
		else if (strcmp(argv[i], "--fork") == 0)
			forks = true;
		else if (strcmp(argv[i], "--list") == 0)
			return list();
		else
			find(argv[i]);
	}
	for (; i < argc; i++)
		status |= forks ? answer_in_child(find(argv[i])) : answer(find(argv[i]));
	return status;
}
