/* engine.h: the walk of a call: from what the program asks to what it gets.
 *
 * A door (the preload's hooks are the first) turns what it sees into a request,
 * calls the function of the call's name, and hands the answer on: a result, or
 * a negated errno, as the kernel would have given it. Everything else that a
 * call needs is decided here.
 *
 * Any thread, any context but the fault handler. Freestanding: what only a door
 * can do is handed in as functions. */
#ifndef JITMEND_ENGINE_H
#define JITMEND_ENGINE_H

#include "request.h"
#include "settings.h"

struct door {
	/* A dangerous request was settled. Called without the lock, on the thread
	 * of the request; may be NULL. */
	void (*report)(const struct event *event);

	/* Makes sure that faults will come to fault_settle from now on, and can be
	 * settled there. False: they will not, or cannot, so no page may move. */
	bool (*guard_faults)(void);

	/* Pages there may come to be not writable though the program may write to them:
	 * where the door has to see to what the kernel writes. Under the lock, in the
	 * fault handler too; may be NULL. */
	void (*watch_writes)(uintptr_t address, size_t length);

	/* In a child that keeps an account of its mappings (ledger.h): no mmap of the
	 * program's may go by unseen from now on. False: it may. May be NULL, where none does. */
	bool (*watch_mappings)(void);

	/* Not 0 as long as there is one thread alone; may be NULL. */
	const char *single_threaded;
};

/* Once, before any call. */
void engine_begin(const struct settings *settings, const struct door *door);

/* Whether calls are watched at all; where not, everything is passed on. */
bool engine_watches(void);

/* Whether rungs 2 and 3 are known to be needed, and whether they may come to be. */
bool engine_mends_with_views(void);
bool engine_may_mend_with_views(void);

/* Whether the dynamic loader's own calls may come to be refused, or are to be told of. */
bool engine_watches_loader(void);

/* Whether it mends, and something is known here that may refuse. */
bool engine_expects_refusals(void);

/* Memory that waits to be executed, and that another copy of the engine in this process
 * has noted so far: START to END, for which the program asked ASK. */
void engine_adopt(uintptr_t start, uintptr_t end, int ask);

/* The same of what that was refused, so that the kernel is not asked for it again. */
void engine_learn(const struct event *event);

/* personality(2). READ_IMPLIES_EXEC, with which every readable mapping is executable,
 * is kept from a kernel that would then refuse every mapping. */
long engine_personality(unsigned long personality);

long engine_mmap(const struct request *request);
long engine_mprotect(const struct request *request);
long engine_shmat(const struct request *request); /* fd: the segment's id */
long engine_munmap(uintptr_t address, size_t length);
long engine_mremap(uintptr_t from, size_t old_length, size_t length, int flags, uintptr_t to);
long engine_madvise(uintptr_t address, size_t length, int advice);

/* The system call, not libc's function: the heap's end as it is then, never an error.
 * What it gives up is forgotten, or would be taken for what comes there later. */
uintptr_t engine_brk(uintptr_t end);

/* mlock(2) and its kin, munlock(2) too, by the system call's NUMBER: what is locked stays
 * so. */
long engine_lock(long number, long a, long b, long c);

/* The kernel is about to write to the range for the program: where a store would
 * raise a fault that is settled, a system call fails. Nothing where there is no
 * code page: one load. */
void engine_will_write(uintptr_t address, size_t length);

/* Whether the program might write to all of it, by what it asked for, once no page is
 * on the move: then it is not by the program's own doing that the kernel could not. */
bool engine_may_write(uintptr_t address, size_t length);

/* Before the program takes its folders away from itself (chroot(2), mount(2), setns(2)), by
 * umount(2) or another way, or installs a seccomp filter: PROGRAM is a struct sock_fprog,
 * which may lead nowhere. */
void engine_before_confinement(void);
void engine_before_unmount(void);
void engine_before_filter(uintptr_t program);

/* Around a fork, on its thread; *MASK is kept for the way back. The lock is not
 * held in between. */
void engine_before_fork(uint64_t *mask);
void engine_after_fork(const uint64_t *mask);
void engine_in_child(const uint64_t *mask);

#endif
