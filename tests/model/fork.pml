/* fork.pml: a fork while another thread writes and executes code: src/engine.c,
 * src/rung/freeze.c, view.c, adopt.c, touch.c, giveback.c and src/backing.c.
 *
 * Two pages; a busy thread of the parent stores into them, executes them, makes them its
 * own memory again (madvise(2)) and asks anew for what they have; one thread forks; the
 * child executes what it has got, stores, and executes again. The kernel copies the
 * descriptors, then the mappings at once, but the memory of a process (the program's
 * pages, the page table, the last changes) page after page, while the busy thread goes
 * on; only its changes of mappings wait. What is to be frozen may meet the limit of
 * mappings: then it stays shared, and may not be written.
 *
 * Holds: the child's page is one that the parent's was during the fork; what either
 * stores afterwards the other never sees, and never loses; each fault of the child is
 * settled; nobody waits for ever.
 * Mutations: NO_PRIVATE, what is writable stays shared; NO_FROZEN_BIRTH, a file made
 * between is not frozen; REFILL, such a file's page is filled again; NO_REVIEW, the child
 * believes the table; ONE_CHANGE, it looks at the last change alone; FORGET_ON_ASK,
 * changes are forgotten where no mapping changes; NO_NOTED_RETURN, a page that becomes
 * own memory again is no change; LENT_RETURN, what it becomes is taken for a file's
 * mapping; NO_LEAVE, the child has no way to leave a file that it has no descriptor of;
 * NO_LOCK_RESET, the child keeps the lock as it was. */

#ifndef OPERATIONS
#define OPERATIONS 3
#endif
#define PAGES 2
#define FILES 6
#define PARENT 0
#define CHILD 1

/* What a page is mapped as: own memory; a private mapping of a file, not yet written; a
 * file. */
#define OWN 0
#define LENT 1
#define SHARED 2

#define AT(process, page) ((process) * PAGES + (page))

/* The kernel's. */
byte kind[4];
byte mapped_file[4];
bool writable[4], executable[4];
byte own[4];                 /* contents of own memory */
byte content[FILES * PAGES]; /* of files */
bool forking;

/* The library's, a copy in each process. */
byte table[4]; /* the file of each page, 0: none */
byte current[2];
byte holder[2];
bool noted[4];
byte change_page[4], before[4], after[4];
bit last[2];

/* Files have one number in all processes here. */
byte files = 2;
bool frozen[FILES], made_by_child[FILES];
bool between;
byte inherited; /* files below it the child has descriptors of */

/* What the checks know. */
byte stored[PAGES], least[PAGES], most[PAGES];

#define LOCK(p) atomic { holder[p] == 0 -> holder[p] = _pid + 1 }
#define UNLOCK(p) holder[p] = 0

#define IS_FROZEN(p, file) ((p) == PARENT && frozen[file] || (p) == CHILD && !made_by_child[file])
#define HAS_DESCRIPTOR(p, file) ((p) == PARENT || (file) < inherited || made_by_child[file])
#define IS_CURRENT(p, g, file) \
	((file) == 0 && kind[AT(p, g)] != SHARED || \
	 (file) != 0 && kind[AT(p, g)] == SHARED && mapped_file[AT(p, g)] == (file))

/* What a return is noted as: the page may have been of any file. */
#define RETURNED 255
#ifdef LENT_RETURN
#define IS_RETURNED(p, g) (kind[AT(p, g)] == LENT)
#else
#define IS_RETURNED(p, g) (kind[AT(p, g)] == OWN)
#endif

/* The parent's mappings wait for the fork. */
#define MAY_MAP(p) ((p) == CHILD || !forking)

#define LOOK(p, g) (kind[AT(p, g)] == OWN -> own[AT(p, g)] : \
		    content[mapped_file[AT(p, g)] * PAGES + (g)])

/* view_remap notes what it is about to do: view.c, note_change */
inline note(p, g, from, to) {
	atomic { last[p] = 1 - last[p]; noted[AT(p, last[p])] = false };
	atomic {
		change_page[AT(p, last[p])] = g;
		before[AT(p, last[p])] = from;
		after[AT(p, last[p])] = to
	};
	noted[AT(p, last[p])] = true
}

/* view_forget_changes */
inline forget(p) {
	atomic { noted[AT(p, 0)] = false; noted[AT(p, 1)] = false }
}

/* backing_place: the file that a page goes to, into FILE. */
inline place(p, file) {
	atomic {
		if
		:: current[p] == 0 ->
			assert(files < FILES);
			current[p] = files;
			made_by_child[files] = (p == CHILD);
#ifdef NO_FROZEN_BIRTH
			frozen[files] = false;
#else
			frozen[files] = (p == PARENT && between);
#endif
			files++
		:: else
		fi;
		file = current[p]
	}
}

inline adopt(p, g) {
	place(p, file);
	atomic { MAY_MAP(p) -> writable[AT(p, g)] = false }; /* whoever stores now waits */
	content[file * PAGES + g] = LOOK(p, g);
	note(p, g, 0, file);
	atomic {
		MAY_MAP(p) ->
		kind[AT(p, g)] = SHARED;
		mapped_file[AT(p, g)] = file;
		executable[AT(p, g)] = true
	};
	table[AT(p, g)] = file
}

/* backing_drop: a page that the child may have cannot be filled again. */
inline drop(p, file) {
#ifndef REFILL
	if
	:: file != 0 && current[p] == file && IS_FROZEN(p, file) -> current[p] = 0
	:: else
	fi
#else
	skip
#endif
}

/* views_return: return_all, settle_copy */
inline give_back(p, g) {
	file = table[AT(p, g)];
	if
	:: file != 0 || kind[AT(p, g)] == LENT ->
		atomic { /* whoever stores now waits */
			MAY_MAP(p) ->
			writable[AT(p, g)] = false;
			executable[AT(p, g)] = false
		};
		copy = LOOK(p, g);
#ifndef NO_NOTED_RETURN
		note(p, g, RETURNED, RETURNED);
#endif
		atomic {
			MAY_MAP(p) ->
			kind[AT(p, g)] = OWN;
			own[AT(p, g)] = copy;
			writable[AT(p, g)] = true
		};
		table[AT(p, g)] = 0;
		drop(p, file)
	:: else
	fi;
	atomic { file = 0; copy = 0 }
}

/* leave_file, and before it the one way that is left where there is no descriptor. */
inline leave(p, g) {
#ifdef NO_LEAVE
	assert(false)
#else
	give_back(p, g)
#endif
}

/* view_turn_writable of a frozen file's page */
inline lend(p, g) {
	file = table[AT(p, g)];
	note(p, g, file, 0);
	atomic {
		MAY_MAP(p) ->
		kind[AT(p, g)] = LENT;
		writable[AT(p, g)] = true;
		executable[AT(p, g)] = false
	};
	table[AT(p, g)] = 0;
	drop(p, file);
	file = 0
}

/* views_fault; the second assertion is a SIGSEGV that the program gets. */
inline settle_fetch(p, g) {
	LOCK(p);
	if
	:: executable[AT(p, g)]
	:: else ->
		assert(IS_CURRENT(p, g, table[AT(p, g)]));
		if
		:: table[AT(p, g)] != 0 && HAS_DESCRIPTOR(p, table[AT(p, g)]) ->
			atomic {
				MAY_MAP(p) ->
				writable[AT(p, g)] = false;
				executable[AT(p, g)] = true
			};
			forget(p)
		:: table[AT(p, g)] != 0 && !HAS_DESCRIPTOR(p, table[AT(p, g)]) ->
			leave(p, g);
			adopt(p, g)
		:: else -> adopt(p, g)
		fi
	fi;
	UNLOCK(p)
}

inline settle_store(p, g) {
	LOCK(p);
	if
	:: writable[AT(p, g)]
	:: else ->
		assert(IS_CURRENT(p, g, table[AT(p, g)]));
		if
		:: table[AT(p, g)] != 0 && IS_FROZEN(p, table[AT(p, g)]) ->
			if
			:: HAS_DESCRIPTOR(p, table[AT(p, g)]) -> lend(p, g)
			:: else -> leave(p, g)
			fi
		:: else ->
			atomic { /* view_protect */
				MAY_MAP(p) ->
				writable[AT(p, g)] = true;
				executable[AT(p, g)] = false
			};
			forget(p)
		fi
	fi;
	UNLOCK(p)
}

#define STORE(p, g, value) \
	do \
	:: atomic { \
		writable[AT(p, g)] && (kind[AT(p, g)] != LENT || MAY_MAP(p)) -> \
		if \
		:: kind[AT(p, g)] == SHARED -> \
			content[mapped_file[AT(p, g)] * PAGES + (g)] = value \
		:: else -> own[AT(p, g)] = value; kind[AT(p, g)] = OWN \
		fi; \
		if \
		:: p == PARENT -> stored[g] = value \
		:: else \
		fi; \
		break \
	   } \
	:: !writable[AT(p, g)] -> settle_store(p, g) \
	od

/* What is executed, into SEEN. */
#define FETCH(p, g) \
	do \
	:: atomic { executable[AT(p, g)] -> seen = LOOK(p, g); break } \
	:: !executable[AT(p, g)] -> settle_fetch(p, g) \
	od

/* give_adopted: the program asks anew for what the pages have */
inline ask(p) {
#ifdef FORGET_ON_ASK
	LOCK(p);
	forget(p);
	UNLOCK(p)
#else
	skip
#endif
}

proctype busy() {
	byte operations, g, seen, file, copy;

	do
	:: operations == OPERATIONS -> break
	:: else ->
		operations++;
		if
		:: g = 0
		:: g = 1
		fi;
		if
		:: STORE(PARENT, g, stored[g] + 1)
		:: FETCH(PARENT, g); assert(seen == stored[g])
		:: ask(PARENT)
		:: LOCK(PARENT); give_back(PARENT, g); UNLOCK(PARENT)
		fi
	od;
	g = 0; seen = 0; file = 0
}

inline freeze_files() {
	atomic { frozen[1] = true; frozen[2] = true; frozen[3] = true; frozen[4] = true;
		 frozen[5] = true; current[PARENT] = 0 }
}

/* views_before_fork: freeze */
inline freeze_page(g) {
#ifndef NO_PRIVATE
	if
	:: table[AT(PARENT, g)] != 0 && writable[AT(PARENT, g)] ->
		if
		:: kind[AT(PARENT, g)] = LENT;
			forget(PARENT);
			table[AT(PARENT, g)] = 0
		:: writable[AT(PARENT, g)] = false; /* no room for a mapping */
			forget(PARENT)
		fi
	:: else
	fi
#else
	skip
#endif
}

/* The kernel's part. */
inline copy_mappings() {
	atomic {
		forking = true;
		kind[2] = kind[0]; kind[3] = kind[1];
		mapped_file[2] = mapped_file[0]; mapped_file[3] = mapped_file[1];
		writable[2] = writable[0]; writable[3] = writable[1];
		executable[2] = executable[0]; executable[3] = executable[1];
		least[0] = stored[0]; least[1] = stored[1]
	}
}

inline copy_table() {
	atomic { table[2] = table[0]; table[3] = table[1] }
}

inline copy_changes() {
	atomic {
		noted[2] = noted[0]; noted[3] = noted[1];
		change_page[2] = change_page[0]; change_page[3] = change_page[1];
		before[2] = before[0]; before[3] = before[1];
		after[2] = after[0]; after[3] = after[1];
		last[1] = last[0]
	}
}

/* Whatever is copied first. */
inline copy_memory() {
	do
	:: !done[0] -> atomic { own[2] = own[0]; done[0] = true }
	:: !done[1] -> atomic { own[3] = own[1]; done[1] = true }
	:: !done[2] -> atomic { copy_table(); done[2] = true }
	:: !done[3] -> atomic { copy_changes(); done[3] = true }
	:: !done[4] -> atomic { holder[CHILD] = holder[PARENT]; done[4] = true }
	:: done[0] && done[1] && done[2] && done[3] && done[4] -> break
	od
}

/* view_review_changes: what the kernel has says which it was. */
inline review(which) {
	if
	:: noted[AT(CHILD, which)] && after[AT(CHILD, which)] == RETURNED ->
		if
		:: IS_RETURNED(CHILD, change_page[AT(CHILD, which)]) ->
			table[AT(CHILD, change_page[AT(CHILD, which)])] = 0
		:: else
		fi
	:: noted[AT(CHILD, which)] && after[AT(CHILD, which)] != RETURNED &&
	   IS_CURRENT(CHILD, change_page[AT(CHILD, which)], after[AT(CHILD, which)]) ->
		table[AT(CHILD, change_page[AT(CHILD, which)])] = after[AT(CHILD, which)]
	:: noted[AT(CHILD, which)] && after[AT(CHILD, which)] != RETURNED &&
	   !IS_CURRENT(CHILD, change_page[AT(CHILD, which)], after[AT(CHILD, which)]) &&
	   IS_CURRENT(CHILD, change_page[AT(CHILD, which)], before[AT(CHILD, which)]) ->
		table[AT(CHILD, change_page[AT(CHILD, which)])] = before[AT(CHILD, which)]
	:: else
	fi
}

proctype child() {
	byte g, seen, first, file, copy;

#ifndef NO_LOCK_RESET
	holder[CHILD] = 0;
#endif
#ifndef NO_REVIEW
	LOCK(CHILD);
#ifndef ONE_CHANGE
	g = 1 - last[CHILD];
	review(g);
#endif
	g = last[CHILD];
	review(g);
	UNLOCK(CHILD);
#endif
	g = 0;
	do
	:: g == PAGES -> break
	:: else ->
		if
		:: FETCH(CHILD, g);
			first = seen;
			assert(least[g] <= first && first <= most[g]);
			FETCH(CHILD, g);
			assert(seen == first)
		:: skip
		fi;
		STORE(CHILD, g, 100);
		FETCH(CHILD, g);
		assert(seen == 100);
		g++
	od;
	FETCH(CHILD, 0);
	assert(seen == 100)
}

proctype forker() {
	bool done[5];

	LOCK(PARENT);
	freeze_files();
	between = true;
	freeze_page(0);
	freeze_page(1);
	UNLOCK(PARENT);

	inherited = files;
	copy_mappings();
	copy_memory();
	atomic { forking = false; most[0] = stored[0]; most[1] = stored[1]; run child() };

	LOCK(PARENT);
	freeze_files();
	between = false;
	UNLOCK(PARENT)
}

/* One page has been executed, the other one written. */
init {
	atomic {
		kind[0] = SHARED;
		mapped_file[0] = 1;
		executable[0] = true;
		table[0] = 1;
		current[PARENT] = 1;
		writable[1] = true;
		run busy();
		run forker()
	}
}
