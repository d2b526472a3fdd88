/* lock.pml: the lock of src/lock.c: a futex word that is 0, or the holder with a mark
 * where somebody waits.
 *
 * Holds: one holder at most; nobody waits for ever.
 * Mutations: CLAIM_PLAIN, who had to wait takes it without the mark; NO_WAKE, a release
 * does not wake. */

#define THREADS 3
#define ROUNDS 2
#define MARK 128

byte word;
bool waits[THREADS];
byte inside;

/* FUTEX_WAKE of one: whichever. */
inline wake() {
	if
	:: atomic { waits[0] -> waits[0] = false }
	:: atomic { waits[1] -> waits[1] = false }
	:: atomic { waits[2] -> waits[2] = false }
	:: atomic { !waits[0] && !waits[1] && !waits[2] -> skip }
	fi
}

active [THREADS] proctype thread() {
	byte me = _pid + 1, seen, rounds;
	byte contended = MARK;

#ifdef CLAIM_PLAIN
	contended = 0;
#endif
	do
	:: rounds == ROUNDS -> break
	:: else ->
		rounds++;
		/* take_as */
		atomic {
			if
			:: word == 0 -> word = me; goto taken
			:: else
			fi
		}
again:
		seen = word;
		if
		:: seen == 0 ->
			atomic {
				if
				:: word == 0 -> word = me | contended; goto taken
				:: else -> goto again
				fi
			}
		:: else
		fi;
		if
		:: !(seen & MARK) ->
			atomic {
				if
				:: word == seen -> word = seen | MARK
				:: else -> goto again
				fi
			}
		:: else
		fi;
		atomic { /* FUTEX_WAIT looks at the word, and sleeps, in one */
			if
			:: word == (seen | MARK) -> waits[_pid] = true
			:: else -> goto again
			fi
		}
		!waits[_pid];
		goto again;
taken:
		inside++;
		assert(inside == 1);
		inside--;
		/* release */
		atomic { seen = word; word = 0 };
#ifndef NO_WAKE
		if
		:: seen & MARK -> wake()
		:: else
		fi
#endif
	od
}
