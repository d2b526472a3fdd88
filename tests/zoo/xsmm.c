/* xsmm.c: products of small matrices of many shapes, by compiled kernels, from several
 * threads, beside the same by loops. See xsmm.bash. */
#include <libxsmm.h>
#include <pthread.h>
#include <stdio.h>

#define SHAPES 24
#define THREADS 4
#define MOST 48

static double products[THREADS];
static int differing[THREADS], missing[THREADS];

static void fill(double *matrix, int seed)
{
	for (int i = 0; i < MOST * MOST; i++)
		matrix[i] = (i * seed + seed) % 11;
}

/* By columns, as BLAS has them. */
static double by_loops(const double *a, const double *b, int m, int n, int k)
{
	double sum = 0;

	for (int column = 0; column < n; column++)
		for (int row = 0; row < m; row++)
			for (int i = 0; i < k; i++)
				sum += a[i * m + row] * b[column * k + i];
	return sum;
}

static void *work(void *argument)
{
	int thread = (int)(size_t)argument;
	double a[MOST * MOST], b[MOST * MOST], c[MOST * MOST];

	fill(a, thread + 3);
	fill(b, thread + 5);
	for (int shape = 1; shape <= SHAPES; shape++) {
		int m = 2 * shape, n = MOST - shape, k = 1 + (shape * 7 + thread) % MOST;
		libxsmm_dmmfunction kernel = libxsmm_dmmdispatch(m, n, k, NULL, NULL, NULL, NULL, NULL,
								 NULL, NULL);
		double sum = 0;

		if (!kernel) {
			missing[thread]++;
			continue;
		}
		for (int i = 0; i < MOST * MOST; i++)
			c[i] = 0;
		kernel(a, b, c);
		for (int i = 0; i < m * n; i++)
			sum += c[i];
		differing[thread] += sum != by_loops(a, b, m, n, k);
		products[thread] += sum;
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	int none = 0;

	libxsmm_init();
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)i))
			return 2;
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		printf("%zu: %.0f, %d differ\n", i, products[i], differing[i]);
		none += missing[i];
	}
	printf("compiled: %s\n", none ? "no" : "yes");
	return 0;
}
