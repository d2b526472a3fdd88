/* hostile.c: threads, and who is against them. See hostile.h. */
#include "hostile.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>

struct worker workers[WORKERS_MOST];
int worker_count;

static __thread struct worker *me; /* NULL: no worker */
static atomic_bool over;
static atomic_long failures;
static struct timespec end;
static void (*turn_of)(struct worker *);

bool (*expects_fault)(const siginfo_t *info, const void *context);

/* --------------------------------------------------------------- verdict */

void wrong(const char *what, long got, long wanted)
{
	char line[200];
	int length;

	atomic_store(&over, true);
	if (atomic_fetch_add(&failures, 1) > 5)
		return;
	length = snprintf(line, sizeof(line), "wrong: %s: %ld (%#lx), wanted %ld (%#lx)\n", what, got,
			  (unsigned long)got, wanted, (unsigned long)wanted);
	if (write(STDERR_FILENO, line, (size_t)length) < 0)
		_exit(98);
}

int verdict(const char *name)
{
	unsigned long turns = 0, signals = 0;

	for (int i = 0; i < worker_count; i++) {
		turns += workers[i].turns;
		signals += workers[i].signals;
	}
	must(turns > 0 || worker_count == 0, "a turn of work");
	if (worker_count)
		fprintf(stderr, "%s: %d threads, %lu turns, %lu signals\n", name, worker_count,
			turns, signals);
	say("%s: %s", name, failures ? "wrong" : "all right");
	return failures != 0;
}

/* ---------------------------------------------------------------- random */

unsigned some(struct worker *worker, unsigned limit)
{
	return random_number(&worker->random) % limit;
}

void maybe_yield(struct worker *worker)
{
	unsigned number = some(worker, 32);

	if (number < 4)
		sched_yield();
	else if (number == 4)
		usleep(some(worker, 200));
}

static uint32_t seed(void)
{
	const char *text = getenv("STORM_SEED");

	return text ? (uint32_t)strtoul(text, NULL, 0) : 1;
}

/* ------------------------------------------------------------------ fence */

void code_fence(void)
{
#ifdef __x86_64__
	static atomic_int registered; /* 1: yes, -1: the kernel cannot */

	if (registered == 0)
		registered = syscall(SYS_membarrier,
				     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) ?
				     -1 : 1;
	must(registered < 0 ||
	     !syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0), "membarrier");
#endif
}

/* ----------------------------------------------------------------- faults */

#ifdef __x86_64__
bool fault_is_write(const void *context)
{
	return ((const ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] & 2;
}

bool fault_is_fetch(const void *context)
{
	return ((const ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] & 16;
}
#endif

static void on_fault(int number, siginfo_t *info, void *context)
{
	int error = errno;

	(void)number;
	if (!expects_fault || !expects_fault(info, context)) {
		wrong(fault_is_write(context) ? "SIGSEGV of a store at" :
		      fault_is_fetch(context) ? "SIGSEGV of a fetch at" : "SIGSEGV of a load at",
		      (long)(uintptr_t)info->si_addr, info->si_code);
		_exit(1);
	}
	errno = error;
}

void catch_faults(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART };

	action.sa_sigaction = on_fault;
	sigemptyset(&action.sa_mask);
	must(sigaction(SIGSEGV, &action, NULL) == 0, "sigaction");
}

/* ---------------------------------------------------------------- signals */

static void write_and_run(unsigned char *page, unsigned count)
{
	unsigned char *at = page + count % 32 * 64;

	code_write(at, (int)count);
	if (code_run(at) != (int)count)
		wrong("code of a handler", code_run(at), count);
}

static void on_signal(int number)
{
	int error = errno;
	unsigned count;

	(void)number;
	if (!me)
		return;
	count = me->signals++;
	write_and_run(me->signal_page, count);
	if (count % 8 == 0)
		sched_yield();
	errno = error;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_flags = SA_RESTART };

	action.sa_handler = on_signal;
	sigfillset(&action.sa_mask);
	must(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGUSR2, &action, NULL) == 0,
	     "sigaction");
}

static timer_t start_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	struct itimerspec often = { { 0, 700000 }, { 0, 700000 } };
	timer_t timer;

	must(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
	must(timer_settime(timer, 0, &often, NULL) == 0, "timer_settime");
	return timer;
}

/* -------------------------------------------------------------- scheduler */

static void pin(pid_t tid, struct worker *dice)
{
	long processors = sysconf(_SC_NPROCESSORS_CONF);
	cpu_set_t set;

	CPU_ZERO(&set);
	if (some(dice, 2)) {
		CPU_SET(some(dice, (unsigned)processors), &set);
	} else {
		for (long i = 0; i < processors; i++)
			CPU_SET((size_t)i, &set);
	}
	sched_setaffinity(tid, sizeof(set), &set);
}

/* What the machine does not allow is not done. */
static void rank(pid_t tid, int policy, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	sched_setscheduler(tid, policy, &param);
}

static void disturb(struct worker *dice)
{
	pid_t tid = workers[some(dice, (unsigned)worker_count)].tid;

	if (!tid)
		return;
	switch (some(dice, 8)) {
	case 0:
		pin(tid, dice);
		break;
	case 1:
		rank(tid, SCHED_BATCH, 0);
		break;
	case 2:
		rank(tid, SCHED_IDLE, 0);
		break;
	case 3:
		rank(tid, SCHED_OTHER, 0);
		setpriority(PRIO_PROCESS, (id_t)tid, (int)some(dice, 19));
		break;
	case 4: /* for a moment: who is in real time and waits for others would wait long */
		rank(tid, SCHED_RR, 1);
		usleep(some(dice, 300));
		rank(tid, SCHED_OTHER, 0);
		break;
	default:
		syscall(SYS_tgkill, getpid(), tid, SIGUSR1);
	}
}

static void *be_hostile(void *unused)
{
	struct worker dice = { .random = seed() * 77 };
	sigset_t all;

	(void)unused;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	rank(0, SCHED_RR, 2);
	while (storm_goes_on()) {
		disturb(&dice);
		usleep(some(&dice, 400));
	}
	for (int i = 0; i < worker_count; i++)
		if (workers[i].tid)
			rank(workers[i].tid, SCHED_OTHER, 0);
	return NULL;
}

/* ------------------------------------------------------------------ storm */

bool storm_goes_on(void)
{
	struct timespec now;

	if (over)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec < end.tv_sec)
		return true;
	over = true;
	return false;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	sigset_t none;

	me = worker;
	worker->tid = (pid_t)syscall(SYS_gettid);
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	while (storm_goes_on()) {
		turn_of(worker);
		worker->turns++;
		maybe_yield(worker);
	}
	worker->tid = 0;
	return NULL;
}

static void set_out(int count)
{
	const char *text = getenv("STORM_SECONDS");
	unsigned seconds = text ? (unsigned)strtoul(text, NULL, 10) : 4;

	must(count > 0 && count <= WORKERS_MOST, "a number of threads");
	must(seconds > 0, "STORM_SECONDS");
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	give_up_after(10 * seconds + 600);
	worker_count = count;
	for (int i = 0; i < count; i++) {
		workers[i].number = i;
		workers[i].random = seed() + (uint32_t)i * 7919;
		workers[i].signal_page = code_pages(1);
	}
}

void storm(int count, void (*turn)(struct worker *), void (*meanwhile)(void))
{
	sigset_t signals, before;
	pthread_t hostile;
	timer_t timer;

	set_out(count);
	turn_of = turn;
	catch_signals();
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &signals, &before);
	for (int i = 0; i < count; i++)
		must(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "thread");
	must(pthread_create(&hostile, NULL, be_hostile, NULL) == 0, "thread");
	timer = start_timer();
	while (meanwhile && storm_goes_on())
		meanwhile();
	for (int i = 0; i < count; i++)
		pthread_join(workers[i].thread, NULL);
	timer_delete(timer);
	pthread_join(hostile, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}
