/* walk.c: the random walk's main program. See walk.h.
 *
 *	walk [--list] --seed=N --count=N
 *	walk FILE
 *
 * Each operation's outcome is printed. The last line is `done N': with the children's.
 * With --list the operations are printed instead, one in a line, as FILE has them. */
#include "walk.h"

#include <getopt.h>
#include <sys/resource.h>

const struct op_kind op_kinds[] = {
	{ "mmap", 60, op_mmap },
	{ "mprotect", 70, op_mprotect },
	{ "munmap", 12, op_munmap },
	{ "mremap", 25, op_mremap },
	{ "grow", 25, op_grow },
	{ "madvise", 25, op_madvise },
	{ "mlock", 8, op_mlock },
	{ "mlockall", 3, op_mlockall },
	{ "msync", 5, op_msync },
	{ "flags", 15, op_flags },
	{ "sbrk", 4, op_sbrk },
	{ "anywhere", 5, op_anywhere },
	{ "truncate", 2, op_truncate },
	{ "store", 160, op_store },
	{ "load", 60, op_load },
	{ "string", 30, op_string },
	{ "copy", 20, op_copy },
	{ "sum", 10, op_sum },
	{ "kernel-writes", 40, op_kernel_writes },
	{ "kernel-reads", 15, op_kernel_reads },
	{ "emit", 120, op_emit },
	{ "call", 200, op_call },
	{ "fork", 8, op_fork },
	{ "signal", 15, op_signal },
	{ "thread", 10, op_thread },
	{ "mend", 15, op_mend },
	{ "fatal", 2, op_fatal },
	{ "race", 2, op_race },
	{ "noise", 1, op_noise },
	{ .name = NULL },
};

struct wishes {
	bool list;
	uint32_t seed;
	size_t count;
	const char *file;
};

static struct wishes read_wishes(int argc, char **argv)
{
	static const struct option options[] = {
		{ "list", no_argument, NULL, 'p' },
		{ "seed", required_argument, NULL, 's' },
		{ "count", required_argument, NULL, 'n' },
		{ 0 },
	};
	struct wishes wishes = { .count = 2000 };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p': wishes.list = true; break;
		case 's': wishes.seed = (uint32_t)strtoul(optarg, NULL, 10); break;
		case 'n': wishes.count = strtoul(optarg, NULL, 10); break;
		default: exit(125);
		}
	}
	wishes.file = argv[optind];
	return wishes;
}

/* A walk that ends by a signal is an outcome like others. */
static void leave_no_core(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
}

int main(int argc, char **argv)
{
	struct wishes wishes = read_wishes(argc, argv);

	if (wishes.file)
		sequence_read(wishes.file);
	else
		sequence_make(wishes.seed, wishes.count);
	if (wishes.list) {
		sequence_print();
		return fflush(stdout) ? 1 : 0;
	}
	leave_no_core();
	shadow_begin();
	files_begin();
	faults_begin();
	code_begin();
	touch_begin();
	process_begin();
	walk_through(0, op_count);
	return dprintf(STDOUT_FILENO, "done %zu\n", operations_done()) < 0;
}
