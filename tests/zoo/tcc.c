/* tcc.c: for tcc -run: arithmetic, a table of functions, qsort calling back. */
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 2000000, WORDS = 50000 };

static unsigned state = 1;
static char composite[MOST];
static unsigned numbers[WORDS];

static unsigned add(unsigned a, unsigned b) { return a + b; }
static unsigned multiply(unsigned a, unsigned b) { return a * b; }
static unsigned mix(unsigned a, unsigned b) { return (a ^ b) * 2654435761u; }

static unsigned (*const operations[])(unsigned, unsigned) = { add, multiply, mix };

static unsigned next(void)
{
	state = state * 1103515245 + 12345;
	return state >> 8;
}

static int by_value(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

static int primes(void)
{
	int count = 0;

	for (int i = 2; i < MOST; i++) {
		if (composite[i])
			continue;
		count++;
		for (int j = 2 * i; j < MOST; j += i)
			composite[j] = 1;
	}
	return count;
}

int main(void)
{
	unsigned sum = 0;

	for (int i = 0; i < WORDS; i++)
		numbers[i] = next();
	qsort(numbers, WORDS, sizeof numbers[0], by_value);
	for (int round = 0; round < 1000; round++)
		for (int i = 0; i < WORDS; i++)
			sum = operations[(i + round) % 3](sum, numbers[i]);
	printf("%d primes, median %u, sum %u\n", primes(), numbers[WORDS / 2], sum);
	return 3;
}
