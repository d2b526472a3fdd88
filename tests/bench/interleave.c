/* interleave.c: what a program costs in several circumstances, for a machine that
 * others use as well.
 *
 *	interleave [--steady|--memory] RUNS CIRCUMSTANCES... -- PROGRAM [ARG...]
 *
 * CIRCUMSTANCES are words with blanks between, '' for none: NAME=VALUE goes into the
 * environment, other words come before the program, as a command that starts it. The
 * program runs in each of them by turns, RUNS rounds of it, so that whatever else goes
 * on meets all alike; what counts is the median of user and system time, its own and
 * that of all children, also of those that outlive their parents. Prints, for each of
 * the circumstances but the first, the ratio of its median to the first one's, and last
 * that median in seconds.
 *
 * --steady: the last ARG says how much there is to do. It is run with that and with
 * three times that, and what counts is the difference: what it costs to start, and to
 * warm up, is not in it. A difference has the noise of both: so here each round has its
 * ratio, of runs that followed one another, and the median is theirs.
 * --memory: what counts is not time but memory, the most that all processes together
 * had of it: their proportional set sizes, looked at every few milliseconds, in MiB. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_RUNS 1000
#define MOST_CIRCUMSTANCES 8
#define MOST_WORDS 256
#define MEMORY_EVERY_NS 3000000

static enum { TIME, STEADY, MEMORY } wanted = TIME;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "interleave: %s: %s\n", what, why);
	exit(2);
}

/* -------------------------------------------------------------- a command */

struct command {
	char *arguments[MOST_WORDS], *environment[MOST_WORDS];
	size_t argument_count, environment_count;
};

static void add(char **list, size_t *count, char *word)
{
	if (*count + 1 == MOST_WORDS)
		die("usage", "too many words");
	list[(*count)++] = word;
	list[*count] = NULL;
}

/* Takes CIRCUMSTANCES to pieces, which then are the command's. */
static void prepare(struct command *command, char *circumstances, char **program)
{
	extern char **environ;

	for (char *word = strtok(circumstances, " "); word; word = strtok(NULL, " "))
		if (strchr(word, '='))
			add(command->environment, &command->environment_count, word);
		else
			add(command->arguments, &command->argument_count, word);
	for (char **variable = environ; *variable; variable++)
		add(command->environment, &command->environment_count, *variable);
	for (; *program; program++)
		add(command->arguments, &command->argument_count, *program);
}

/* Its input and output would only be in the way. By vfork: what is copied of this
 * process would count as its own. */
static pid_t start(const struct command *command)
{
	posix_spawn_file_actions_t actions;
	pid_t child;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, 0, 1);
	posix_spawn_file_actions_adddup2(&actions, 0, 2);
	error = posix_spawnp(&child, command->arguments[0], &actions, NULL,
			     command->arguments, command->environment);
	posix_spawn_file_actions_destroy(&actions);
	if (error)
		die(command->arguments[0], strerror(error));
	return child;
}

/* ----------------------------------------------------------------- memory */

static double set_size(pid_t pid)
{
	char path[64], line[256];
	double kilobytes = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "Pss: %lf", &kilobytes) == 1)
			break;
	if (file)
		fclose(file);
	return kilobytes / 1024;
}

/* Of all children of PID's first thread, and theirs. */
static double set_sizes_below(pid_t pid)
{
	double sum = 0;
	char path[64];
	FILE *file;
	int child;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "re");
	while (file && fscanf(file, "%d", &child) == 1)
		sum += set_size(child) + set_sizes_below(child);
	if (file)
		fclose(file);
	return sum;
}

/* ------------------------------------------------------------------ a run */

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Orphans come to us, so that what they used counts. */
static double wait_for_all(pid_t child, int *status)
{
	const struct timespec pause = { .tv_nsec = MEMORY_EVERY_NS };
	double used = 0, most = 0;
	struct rusage usage;
	int one;

	for (;;) {
		pid_t ended = wait4(-1, &one, wanted == MEMORY ? WNOHANG : 0, &usage);

		if (ended < 0)
			break;
		if (ended == 0) {
			double now = set_sizes_below(getpid());

			most = now > most ? now : most;
			nanosleep(&pause, NULL);
			continue;
		}
		used += seconds(usage.ru_utime) + seconds(usage.ru_stime);
		if (ended == child)
			*status = one;
	}
	return wanted == MEMORY ? most : used;
}

static double run(const struct command *command)
{
	int status = -1;
	double result = wait_for_all(start(command), &status);

	if (!WIFEXITED(status) || WEXITSTATUS(status) == 127)
		die(command->arguments[0], "did not end as it should");
	return result;
}

static double run_steady(const struct command *command)
{
	struct command longer = *command;
	char *once = command->arguments[command->argument_count - 1], thrice[32];

	snprintf(thrice, sizeof thrice, "%ld", 3 * strtol(once, NULL, 10));
	longer.arguments[longer.argument_count - 1] = thrice;
	return run(&longer) - run(command);
}

/* ------------------------------------------------------------------ table */

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

/* Of VALUES to FIRST, which are put in order by it. */
static double ratio(double *values, double *first, size_t runs)
{
	double ratios[MOST_RUNS];

	if (wanted != STEADY)
		return median(values, runs) / median(first, runs);
	for (size_t i = 0; i < runs; i++)
		ratios[i] = values[i] / first[i];
	return median(ratios, runs);
}

int main(int argc, char **argv)
{
	static double results[MOST_CIRCUMSTANCES][MOST_RUNS];
	static struct command commands[MOST_CIRCUMSTANCES];
	size_t runs, count = 0;
	char **circumstances;

	if (argc > 1 && strcmp(argv[1], "--steady") == 0)
		wanted = STEADY;
	else if (argc > 1 && strcmp(argv[1], "--memory") == 0)
		wanted = MEMORY;
	if (wanted != TIME)
		argc--, argv++;
	runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	circumstances = argv + 2;
	while (argc > 2 && circumstances[count] && strcmp(circumstances[count], "--") != 0)
		count++;
	if (argc < 5 || runs < 1 || runs > MOST_RUNS || count < 1 || count > MOST_CIRCUMSTANCES ||
	    !circumstances[count] || !circumstances[count + 1])
		die("usage", "interleave [--steady|--memory] RUNS CIRCUMSTANCES... -- PROGRAM [ARG...]");
	for (size_t i = 0; i < count; i++)
		prepare(&commands[i], circumstances[i], circumstances + count + 1);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	for (size_t i = 0; i < runs; i++)
		for (size_t j = 0; j < count; j++) {
			/* Who goes first changes, too. */
			size_t turn = (i + j) % count;

			results[turn][i] = wanted == STEADY ? run_steady(&commands[turn]) :
							      run(&commands[turn]);
		}
	for (size_t i = 1; i < count; i++)
		printf("%.3f ", ratio(results[i], results[0], runs));
	printf("%.6f\n", median(results[0], runs));
	return 0;
}
