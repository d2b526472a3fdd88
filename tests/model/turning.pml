/* turning.pml: a page of rung 3 while threads store into it and execute it: src/fault.c,
 * src/rung/touch.c, adopt.c, giveback.c and view.c.
 *
 * The page is the program's own memory until it is executed; then its contents are
 * copied to a file, which is mapped in its place and turned. It can be made own memory
 * again (madvise(2), mremap(2)). In it lies a word of each writer; a word has two halves,
 * which a store of the processor's writes at once.
 *
 * Holds: no store is lost; who executes finds what was published before, and whole; the
 * page is never writable and executable at once; nobody waits for ever.
 * Mutations: NO_HOLD_ADOPT and NO_HOLD_RETURN, the page stays writable while it is
 * copied; MAP_FIRST, the file is mapped before it is filled; NO_LOCK, faults are settled
 * without the lock; BOTH, mprotect leaves the execute permission; CARRY_OUT, a store is
 * carried out by pwrite(2) though there are other threads. */

#define WRITERS 2
#define OWN 0
#define FILE 1

/* The kernel's mapping. */
bit mapped = OWN;
bool writable = true, executable = false;
byte low[4], high[4]; /* of each memory, a word of each writer */

/* The page table's entry. */
bool in_file;

byte holder;
byte published[WRITERS];

#define WORD(memory, writer) ((memory) * WRITERS + (writer))

#ifdef NO_LOCK
#define LOCK skip
#define UNLOCK skip
#else
#define LOCK atomic { holder == 0 -> holder = _pid + 1 }
#define UNLOCK holder = 0
#endif

#define PROTECT(w, x) atomic { writable = w; executable = x; assert(!(writable && executable)) }
#define MAP(memory, w, x) atomic { mapped = memory; writable = w; executable = x }

inline copy(from, to) {
	low[WORD(to, 0)] = low[WORD(from, 0)];
	high[WORD(to, 0)] = high[WORD(from, 0)];
	low[WORD(to, 1)] = low[WORD(from, 1)];
	high[WORD(to, 1)] = high[WORD(from, 1)]
}

/* view_adopt: adopt_window */
inline adopt() {
#ifdef MAP_FIRST
	MAP(FILE, false, true);
	copy(OWN, FILE);
#else
#ifndef NO_HOLD_ADOPT
	PROTECT(false, false);
#endif
	copy(OWN, FILE);
	MAP(FILE, false, true);
#endif
	in_file = true
}

/* views_return */
inline give_back() {
#ifndef NO_HOLD_RETURN
	PROTECT(false, false);
#endif
	copy(FILE, OWN);
	MAP(OWN, true, false);
	in_file = false
}

inline settle_fetch() {
	LOCK;
	if
	:: executable /* an old fault */
	:: else ->
		if
		:: in_file -> PROTECT(false, true) /* or a mapping: at once, too */
		:: else -> adopt()
		fi
	fi;
	UNLOCK
}

inline settle_store(writer, value) {
	LOCK;
	if
	:: writable
	:: else ->
#ifdef CARRY_OUT
		if
		:: in_file ->
			low[WORD(FILE, writer)] = value;
			high[WORD(FILE, writer)] = value;
			UNLOCK;
			goto stored
		:: else
		fi;
#endif
#ifdef BOTH
		PROTECT(true, executable)
#else
		PROTECT(true, false)
#endif
	fi;
	UNLOCK
}

proctype writer(byte me, stores) {
	byte value;

	do
	:: value == stores -> break
	:: else ->
		value++;
again:
		atomic {
			if
			:: writable ->
				low[WORD(mapped, me)] = value;
				high[WORD(mapped, me)] = value;
				goto stored
			:: else
			fi
		}
		settle_store(me, value);
		goto again;
stored:
		published[me] = value; /* behind the program's fence */
		assert(low[WORD(mapped, me)] == value && high[WORD(mapped, me)] == value)
	od
}

#define IS_WHOLE(writer) (low[WORD(mapped, writer)] == high[WORD(mapped, writer)])

proctype executor(byte fetches) {
	byte least[WRITERS];

	do
	:: fetches == 0 -> break
	:: else ->
		fetches--;
		atomic { least[0] = published[0]; least[1] = published[1] };
again:
		atomic {
			if
			:: executable ->
				assert(IS_WHOLE(0) && IS_WHOLE(1));
				assert(low[WORD(mapped, 0)] >= least[0]);
				assert(low[WORD(mapped, 1)] >= least[1]);
				goto executed
			:: else
			fi
		}
		settle_fetch();
		goto again;
executed:
		least[0] = 0;
		least[1] = 0
	od
}

proctype returner() {
	LOCK;
	if
	:: in_file -> give_back()
	:: else
	fi;
	UNLOCK
}

init {
	atomic {
		run writer(0, 2);
		run writer(1, 1);
		run executor(2);
		run executor(1);
		run returner()
	}
}
