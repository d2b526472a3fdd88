/* process.c: operations that carry out others elsewhere: in a child, in a signal
 * handler, on a second thread; and threads that meet at one page. See walk.h. */
#include "walk.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { DEPTH_MOST = 2, PENDING_MOST = 3 };

static unsigned depth;
static size_t *done; /* operations, of children too */

static size_t carry_out(size_t at)
{
	if (at >= op_count)
		return at;
	__atomic_fetch_add(done, 1, __ATOMIC_RELAXED);
	return op_kinds[ops[at].kind].run(at);
}

/* ------------------------------------------------------------------ children */

/* A child that begins only when its parent has gone on for some operations. */
static struct pending {
	pid_t child;
	int gate;
	size_t due;
} pending[PENDING_MOST];
static unsigned pending_count;

static void tell_end(size_t at, pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) == -1)
		must(errno == EINTR, "waitpid");
	if (WIFEXITED(status))
		tell("%zu child: exit %d", at, WEXITSTATUS(status));
	else
		tell("%zu child: signal %d", at, WTERMSIG(status));
}

static void let_go(struct pending *one)
{
	must(write(one->gate, "", 1) == 1, "a child's gate");
	close(one->gate);
	tell_end(one->due, one->child);
}

static void let_go_due(size_t at)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < pending_count; i++) {
		if (pending[i].due <= at)
			let_go(&pending[i]);
		else
			pending[kept++] = pending[i];
	}
	pending_count = kept;
}

void walk_through(size_t from, size_t end)
{
	while (from < end) {
		from = carry_out(from);
		let_go_due(from);
	}
	let_go_due(SIZE_MAX);
}

static bool has_worker;

static void begin_child(void)
{
	depth++;
	pending_count = 0;
	has_worker = false;
	tell_in_child();
}

static _Noreturn void child(int gate, size_t from, size_t end)
{
	char go;

	begin_child();
	while (gate != -1 && read(gate, &go, 1) == -1 && errno == EINTR)
		;
	if (gate != -1)
		close(gate);
	walk_through(from, end);
	_exit(7);
}

size_t op_fork(size_t at)
{
	const struct op *op = &ops[at];
	size_t end = at + 2 + op->a % 24;
	bool later = op->b & 1 && !depth && pending_count < PENDING_MOST;
	int gate[2];
	pid_t made;

	if (end > op_count)
		end = op_count;
	if (depth == DEPTH_MOST)
		return at + 1;
	tell("%zu fork%s", at, later ? ", later" : "");
	must(!later || !pipe2(gate, O_CLOEXEC), "pipe2");
	made = fork();
	must(made != -1, "fork");
	if (!made) {
		if (later)
			close(gate[1]);
		child(later ? gate[0] : -1, at + 1, end);
	}
	if (!later)
		return tell_end(at, made), at + 1;
	close(gate[0]);
	pending[pending_count++] = (struct pending){ made, gate[1], end };
	return at + 1;
}

/* An operation whose fault is to end the process, with SIGSEGV blocked, ignored or
 * left to the kernel: in a child. */
size_t op_fatal(size_t at)
{
	const struct op *op = &ops[at];
	sigset_t set;
	pid_t made;

	if (depth == DEPTH_MOST)
		return at + 1;
	tell("%zu fatal %u", at, op->a % 3);
	made = fork();
	must(made != -1, "fork");
	if (made)
		return tell_end(at, made), at + 1;
	begin_child();
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	if (op->a % 3 == 0)
		sigprocmask(SIG_BLOCK, &set, NULL);
	else
		signal(SIGSEGV, op->a % 3 == 1 ? SIG_IGN : SIG_DFL);
	carry_out(at + 1);
	_exit(8);
}

/* ------------------------------------------------------------------- signals */

static _Thread_local size_t in_handler; /* the next operation */

static void on_user_signal(int signal)
{
	(void)signal;
	in_handler = carry_out(in_handler);
}

/* The next operation in a handler. */
size_t op_signal(size_t at)
{
	size_t before = in_handler, next;

	in_handler = at + 1;
	tell("%zu signal", at);
	pthread_kill(pthread_self(), ops[at].a & 1 ? SIGUSR1 : SIGUSR2);
	next = in_handler;
	in_handler = before;
	return next;
}

/* The next operation with a fault handler that gives what is missing. */
size_t op_mend(size_t at)
{
	const struct op *op = &ops[at];
	size_t next;

	faults_mend(any_protection(op->a), 1 + op->b % 4);
	next = carry_out(at + 1);
	faults_mend(0, 0);
	return next;
}

/* Nothing that anybody looks at. */
static unsigned char *noise;

static void on_alarm(int signal)
{
	(void)signal;
	if (code_run(noise) == 77)
		__atomic_fetch_add((int *)(void *)(noise + 1024), 1, __ATOMIC_SEQ_CST);
}

/* Signals at any instruction from now on, or no more. */
size_t op_noise(size_t at)
{
	const struct op *op = &ops[at];
	suseconds_t every = op->a & 1 ? 200 + (suseconds_t)op->b % 2000 : 0;
	struct itimerval timer = { { 0, every }, { 0, every } };

	setitimer(ITIMER_REAL, &timer, NULL);
	tell("%zu noise %ld", at, (long)every);
	return at + 1;
}

/* ------------------------------------------------------------------- threads */

static struct {
	sem_t wanted, ready;
	void (*job)(void *argument);
	void *argument;
} worker;

static void *work(void *unused)
{
	(void)unused;
	faults_begin_thread();
	for (;;) {
		while (sem_wait(&worker.wanted))
			;
		worker.job(worker.argument);
		sem_post(&worker.ready);
	}
	return NULL;
}

/* The first operation that wants it starts it. */
static bool start_worker(void)
{
	pthread_t thread;

	if (has_worker)
		return true;
	if (depth)
		return false;
	must(!sem_init(&worker.wanted, 0, 0) && !sem_init(&worker.ready, 0, 0), "sem_init");
	must(!pthread_create(&thread, NULL, work, NULL), "pthread_create");
	return has_worker = true;
}

static void begin_job(void (*job)(void *argument), void *argument)
{
	worker.job = job;
	worker.argument = argument;
	sem_post(&worker.wanted);
}

static void end_job(void)
{
	while (sem_wait(&worker.ready))
		;
}

static _Thread_local bool is_worker;

static void carry_out_there(void *argument)
{
	size_t *next = argument;

	is_worker = true;
	*next = carry_out(*next);
}

/* The next operation on the second thread. */
size_t op_thread(size_t at)
{
	size_t next = at + 1;

	tell("%zu thread", at);
	if (is_worker || !start_worker())
		return carry_out(next);
	begin_job(carry_out_there, &next);
	end_job();
	return next;
}

/* ------------------------------------------------------------------- races */

enum { RACE_ROUNDS = 60 };

struct race {
	unsigned char *page;
	struct range beside;
	unsigned kind;
	atomic_uint *word;
	long sum;
	atomic_bool begun;
};

static void count(struct race *race)
{
	for (unsigned i = 0; i < RACE_ROUNDS; i++)
		atomic_fetch_add(race->word, 1);
}

static void do_count(void *argument)
{
	struct race *race = argument;

	while (!atomic_load(&race->begun))
		sched_yield();
	count(race);
}

static void count_there(void *argument)
{
	struct met met = meet(do_count, argument);

	must(!met.signal, "a store that nothing forbids");
}

static void fork_and_look(const struct race *race)
{
	pid_t made = fork();

	must(made != -1, "fork");
	if (!made)
		_exit(code_run(race->page) == 77 ? 1 : 2);
	while (waitpid(made, NULL, 0) == -1)
		must(errno == EINTR, "waitpid");
}

static void do_race(void *argument)
{
	struct race *race = argument;

	for (unsigned i = 0; i < RACE_ROUNDS / (race->kind == 3 ? 10 : 1); i++) {
		switch (race->kind) {
		case 0: race->sum += code_run(race->page); break;
		case 1: race->sum += mprotect(race->page, PAGE, RWX); break;
		case 2: /* a store beside the other's */
			atomic_fetch_add(race->word + 1, 1);
			race->sum += code_run(race->page);
			break;
		case 3: fork_and_look(race); break;
		case 4: race->sum += madvise(race->page, PAGE, MADV_WILLNEED); break;
		default: race->sum += mprotect(race->beside.start, race->beside.length,
					       i % 2 ? RWX : RX);
		}
	}
}

/* On memory of its own: one thread stores into a page while the other executes it, or
 * asks something of it. No store is lost. */
size_t op_race(size_t at)
{
	const struct op *op = &ops[at];
	struct race race = { .kind = op->b % 6, .beside = range_at(op->a | 1, 3) };
	struct met met;

	if (is_worker || !start_worker() || race.beside.pages < 3)
		return at + 1;
	race.page = mmap(race.beside.start, 3 * PAGE, RWX,
			 MAP_FIXED | (op->b & 64 ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);
	must(race.page != MAP_FAILED, "mmap");
	shadow_map(&race.beside, op->b & 64 ? SHARED_ANONYMOUS : ANONYMOUS, RWX);
	if (race.kind == 5)
		race.beside = (struct range){ race.beside.region, race.beside.first + 1, 2,
					      race.page + PAGE, 2 * PAGE };
	code_write(race.page, 77);
	race.word = (atomic_uint *)(void *)(race.page + 2048);
	begin_job(count_there, &race);
	atomic_store(&race.begun, true);
	met = meet(do_race, &race);
	end_job();
	if (race.kind == 5)
		mprotect(race.beside.start, race.beside.length, RWX);
	tell("%zu race %u %s: %u %u %ld%s", at, race.kind, place(race.page),
	     atomic_load(race.word), atomic_load(race.word + 1), race.sum, met_words(&met));
	return at + 1;
}

/* -------------------------------------------------------------------- start */

static void begin_signals(void)
{
	struct sigaction action = { .sa_handler = on_user_signal, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	must(!sigaction(SIGUSR1, &action, NULL), "sigaction");
	action.sa_flags |= SA_ONSTACK;
	must(!sigaction(SIGUSR2, &action, NULL), "sigaction");
	action.sa_handler = on_alarm;
	must(!sigaction(SIGALRM, &action, NULL), "sigaction");
}

void process_begin(void)
{
	int counted = memfd_create("done", MFD_CLOEXEC);

	must(counted != -1 && !ftruncate(counted, (off_t)PAGE), "memfd_create");
	done = mmap(NULL, PAGE, RW, MAP_SHARED, counted, 0);
	noise = mmap(NULL, PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(done != MAP_FAILED && noise != MAP_FAILED, "mmap");
	code_write(noise, 77);
	begin_signals();
}

size_t operations_done(void)
{
	return *done;
}
