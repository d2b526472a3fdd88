/* tcc-heap.c: for tcc -run: takes, fills, grows and gives back much memory from
 * the heap that its own code lies on, and looks whether any byte is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECES 500
#define STEPS 20000
#define LENGTH_MAX 9000

static unsigned char *pieces[PIECES];
static size_t lengths[PIECES];
static unsigned int seed = 12345;

static unsigned int draw(unsigned int below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % below;
}

static void check(int i)
{
	for (size_t j = 0; j < lengths[i]; j++) {
		if (pieces[i][j] == (unsigned char)i)
			continue;
		printf("piece %d: byte %lu is lost\n", i, (unsigned long)j);
		exit(1);
	}
}

static void resize(int i, size_t length)
{
	pieces[i] = realloc(pieces[i], length);
	if (!pieces[i])
		exit(2);
	if (length > lengths[i])
		memset(pieces[i] + lengths[i], i, length - lengths[i]);
	lengths[i] = length;
}

static void release(int i)
{
	free(pieces[i]);
	pieces[i] = NULL;
	lengths[i] = 0;
}

int main(void)
{
	unsigned long total = 0;

	for (int step = 0; step < STEPS; step++) {
		int i = draw(PIECES);

		check(i);
		if (draw(3) == 0)
			release(i);
		else
			resize(i, 1 + draw(LENGTH_MAX));
	}
	for (int i = 0; i < PIECES; i++) {
		check(i);
		total += lengths[i];
		release(i);
	}
	printf("%lu bytes held at the end, all as they were written\n", total);
	return 0;
}
