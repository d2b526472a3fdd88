/* scan-pool.c: the threads that look at files. See scan.h. Each takes the next
 * file of the list; nobody adds to the list meanwhile. */
#include <config.h>

#include "scan.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PROGRESS_MILLISECONDS = 100 };

struct pool {
	struct files *files;
	const struct settings_of_scan *settings;
	atomic_size_t next, done;
	size_t first;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	int running;
};

static void *work(void *argument)
{
	struct pool *pool = argument;

	for (;;) {
		size_t i = atomic_fetch_add(&pool->next, 1);

		if (i >= pool->files->count)
			break;
		file_look(&pool->files->list[i], pool->settings);
		atomic_fetch_add(&pool->done, 1);
	}
	pthread_mutex_lock(&pool->lock);
	pool->running--;
	pthread_cond_signal(&pool->ended);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static struct timespec soon(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_nsec += PROGRESS_MILLISECONDS * 1000000L;
	if (time.tv_nsec >= 1000000000L) {
		time.tv_nsec -= 1000000000L;
		time.tv_sec++;
	}
	return time;
}

static void wait_for_all(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	while (pool->running) {
		struct timespec time = soon();

		pthread_cond_timedwait(&pool->ended, &pool->lock, &time);
		progress_show("looked at", atomic_load(&pool->done),
			      pool->files->count - pool->first);
	}
	pthread_mutex_unlock(&pool->lock);
}

void pool_run(struct files *files, size_t first, const struct settings_of_scan *settings)
{
	struct pool pool = {
		.files = files, .settings = settings, .next = first, .first = first,
		.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER,
	};
	size_t todo = files->count - first;
	int jobs = todo < (size_t)settings->jobs ? (int)todo : settings->jobs, made = 0;
	pthread_t *threads = scan_allocate((size_t)jobs, sizeof *threads);

	pool.running = jobs;
	while (made < jobs && pthread_create(&threads[made], NULL, work, &pool) == 0)
		made++;
	/* Where no more threads are to be had, this one does their share. */
	for (int missing = jobs - made; missing > 0; missing--)
		work(&pool);
	wait_for_all(&pool);
	for (int i = 0; i < made; i++)
		pthread_join(threads[i], NULL);
	free(threads);
}
