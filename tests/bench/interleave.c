/* interleave.c: what a program costs in processor time under several
 * environments, for a machine that others use as well.
 *
 *	interleave RUNS ENVIRONMENT... -- PROGRAM [ARG...]
 *
 * An ENVIRONMENT is NAME=VALUE words with blanks between, '' for the one that
 * there is. The program runs in each of them by turns, RUNS rounds of it, so
 * that whatever else goes on meets all alike; what counts is the median of user
 * and system time, its own and that of the children it waited for. Prints, for
 * each environment but the first, the ratio of its median to the first one's,
 * and last that median in seconds. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_RUNS 1000
#define MOST_ENVIRONMENTS 8

static void die(const char *what, const char *why)
{
	fprintf(stderr, "interleave: %s: %s\n", what, why);
	exit(2);
}

/* In the child. Its output would only be in the way. */
static void become(char *environment, char **program)
{
	int nothing = open("/dev/null", O_RDWR);

	for (char *word = strtok(environment, " "); word; word = strtok(NULL, " "))
		putenv(word);
	dup2(nothing, 0);
	dup2(nothing, 1);
	execvp(program[0], program);
	_exit(127);
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double run(char *environment, char **program)
{
	struct rusage used;
	pid_t child = fork();
	int status;

	if (child < 0)
		die("fork", strerror(errno));
	if (child == 0)
		become(environment, program);
	if (wait4(child, &status, 0, &used) < 0)
		die("wait4", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		die(program[0], "did not end with status 0");
	return seconds(used.ru_utime) + seconds(used.ru_stime);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, by_value);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

int main(int argc, char **argv)
{
	static double times[MOST_ENVIRONMENTS][MOST_RUNS];
	double medians[MOST_ENVIRONMENTS];
	size_t runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, count = 0;
	char **environments = argv + 2;

	while (argc > 2 && environments[count] && strcmp(environments[count], "--") != 0)
		count++;
	if (argc < 5 || runs < 1 || runs > MOST_RUNS || count < 1 || count > MOST_ENVIRONMENTS ||
	    !environments[count] || !environments[count + 1])
		die("usage", "interleave RUNS ENVIRONMENT... -- PROGRAM [ARG...]");
	for (size_t i = 0; i < runs; i++)
		for (size_t j = 0; j < count; j++) {
			/* Who goes first changes, too. */
			size_t turn = (i + j) % count;

			times[turn][i] = run(environments[turn], environments + count + 1);
		}
	for (size_t i = 0; i < count; i++)
		medians[i] = median(times[i], runs);
	for (size_t i = 1; i < count; i++)
		printf("%.3f ", medians[i] / medians[0]);
	printf("%.3f\n", medians[0]);
	return 0;
}
