/* qemu.c: a guest for qemu-x86_64: arithmetic in threads, a fault that is handled,
 * a child, and a function that it writes itself and then writes anew. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static sigjmp_buf back;

static void *hot(void *start)
{
	uintptr_t sum = (uintptr_t)start;

	for (unsigned i = 0; i < 6000000; i++)
		sum = (sum * 31 + i) % 1000003;
	return (void *)sum;
}

static void caught(int signal)
{
	siglongjmp(back, signal);
}

static int faults(void)
{
	int count = 0;

	signal(SIGSEGV, caught);
	for (int i = 0; i < 200; i++)
		if (sigsetjmp(back, 1))
			count++;
		else
			*(volatile char *)16 = 1;
	return count;
}

/* mov eax, VALUE; ret */
static unsigned made(void)
{
	unsigned char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned sum = 0;

	if (code == MAP_FAILED)
		return 0;
	for (unsigned value = 1; value <= 300; value++) {
		code[0] = 0xb8;
		memcpy(code + 1, &value, 4);
		code[5] = 0xc3;
		sum += ((unsigned (*)(void))(uintptr_t)code)();
	}
	return sum;
}

int main(void)
{
	pthread_t threads[2];
	void *sums[2];
	int status = 0;
	pid_t child;

	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, hot, (void *)i);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], &sums[i]);
	printf("%lu %lu\n", (unsigned long)sums[0], (unsigned long)sums[1]);
	printf("%d faults\n", faults());
	printf("%u made\n", made());
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit((int)((uintptr_t)hot((void *)5) % 100));
	waitpid(child, &status, 0);
	printf("child %d\n", WEXITSTATUS(status));
	return 6;
}
