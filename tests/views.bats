#!/usr/bin/env bats
# views.bats: programs that write code and run it, where a policy refuses pages
# that are writable and executable. Each part of a host in tests/hosts/code-*.c
# runs natively, under each policy with jitmend, and under the strict policy,
# and must print the same and end the same.

load common
load alike

# shellcheck disable=SC2154 # common.bash sees to it
PROMISE=$top_builddir/tests/promise

# What the kernel or the supervisor is to refuse, by the name of the run.
declare -gA DENIED=(
	[mdwe]=--mdwe
	[seccomp]=--seccomp
	[selinux]='--execmem --execheap --execmod'
)

# Which of these this machine lets `jitmend deny' put in force.
setup_file() {
	local policy

	AVAILABLE=
	for policy in mdwe seccomp selinux; do
		# shellcheck disable=SC2086 # options, each a word
		if jitmend deny ${DENIED[$policy]} -- true 2>/dev/null; then
			AVAILABLE+="$policy "
		fi
	done
	export AVAILABLE
}

setup() {
	alike_setup
}

# under RUN COMMAND...: runs it with jitmend under that policy, or strict.
under() {
	local run=$1 policy=()

	shift
	if [ "$run" = strict ]; then
		run_as strict timeout -k 5 "$PATIENCE" "$JITMEND" run --policy=strict \
			--log="$BATS_TEST_TMPDIR/log.$run" -- "$@"
		return
	fi
	read -ra policy <<<"${DENIED[$run]}"
	run_as "$run" timeout -k 5 "$PATIENCE" "$JITMEND" deny "${policy[@]}" -- \
		"$JITMEND" run --log="$BATS_TEST_TMPDIR/log.$run" -- "$@"
}

# everywhere COMMAND...: it does the same everywhere as natively.
everywhere() {
	same_in "$AVAILABLE strict" under "$@"
}

# views HOST [--syscall] PART...: so does each part of the host. Where nothing is
# refused, only the log tells that something was mended.
views() {
	local program=$HOSTS/$1 options=() part failed=0

	shift
	if [ "$1" = --syscall ]; then
		options=("$1")
		shift
	fi
	rm -f log.*
	for part; do
		everywhere "$program" "${options[@]}" "$part" || failed=1
	done
	if ! grep -q mended log.strict; then
		echo "--- strict: nothing was mended"
		failed=1
	fi
	return "$failed"
}

# The same where standard output must not be a file.
piped() {
	local program=$HOSTS/$1 part failed=0

	shift
	for part; do
		# shellcheck disable=SC2016 # for that shell
		everywhere sh -c '{ "$@"; echo "status $?"; } | cat' sh "$program" "$part" ||
			failed=1
	done
	return "$failed"
}

# ------------------------------------------------- what the tests start from

@test "PR_SET_MDWE can be had here" {
	require_deny --mdwe
}

@test "systemd's filter can be had here" {
	require_deny --seccomp
}

@test "SELinux's execmem, execheap and execmod can be had here" {
	require_deny --execmem --execheap --execmod
}

@test "without jitmend the policies break these programs" {
	local run policy part

	[ -n "$AVAILABLE" ] || skip "no policy can be had here"
	for run in $AVAILABLE; do
		read -ra policy <<<"${DENIED[$run]}"
		for part in "code-ways rwx" "code-ways rw-rx" "code-ways heap" \
			"code-turns rewrite" "code-turns rewrite-by-mprotect" \
			"code-calls rights/anonymous" "code-limits all-closed" \
			"code-forks own" "code-signals own-faults"; do
			read -ra part <<<"$part"
			run_as native "$HOSTS/${part[0]}" "${part[1]}"
			run_as denied "$JITMEND" deny "${policy[@]}" -- "$HOSTS/${part[0]}" "${part[1]}"
			echo "${part[*]}"
			show native denied
			[ "$(cat native.status)" -eq 0 ]
			! cmp -s native.out denied.out
		done
	done
}

# -------------------------------------------------------------- ways to ask

@test "writable and executable memory" {
	views code-ways rwx rw-rx rw-rwx rx-first
}

@test "memory that is not asked to be readable" {
	views code-ways write-and-exec
}

@test "memory that can only be executed" {
	known_limit "without its protection key it can be read, too"
	views code-ways exec-only
}

@test "large reservations" {
	views code-ways reservation gigabyte
}

@test "asked for as code, used as data" {
	views code-ways never-run
}

@test "where memory is to lie" {
	views code-ways places
}

@test "addresses that were given back, and are claimed" {
	views code-ways claimed
}

@test "flags of mmap" {
	views code-ways flags
}

@test "huge pages" {
	everywhere "$HOSTS/code-ways" huge-pages
}

@test "memory that grows down" {
	known_limit "memory that grows by itself is not mended"
	views code-ways grows-down
}

@test "mmap's errors" {
	views code-ways errors
}

@test "pages of the heap" {
	views code-ways heap
}

@test "/dev/zero" {
	views code-ways devzero
}

@test "a private file" {
	views code-ways file-private
}

@test "the file beneath" {
	views code-ways file-beneath
}

@test "a shared file" {
	views code-ways file-shared file-short
}

@test "shared anonymous memory" {
	views code-ways anonymous-shared
}

# jitmend leaves it to the policy.
@test "a System V segment" {
	local run policy

	run_as native "$HOSTS/code-ways" segment
	for run in $AVAILABLE; do
		read -ra policy <<<"${DENIED[$run]}"
		run_as denied "$JITMEND" deny "${policy[@]}" -- "$HOSTS/code-ways" segment
		under "$run" "$HOSTS/code-ways" segment
		same_outcome native "$run" || same_outcome denied "$run"
	done
	under strict "$HOSTS/code-ways" segment
	same_outcome native strict
}

@test "a program with two views of its own" {
	views code-ways two-views
}

@test "READ_IMPLIES_EXEC" {
	views code-ways read-implies-exec
	is_of_32_bits || views code-ways implied-for-each
}

@test "READ_IMPLIES_EXEC, which programs of 32 bits keep over exec" {
	is_of_32_bits || skip "what was built here is not of 32 bits"
	known_limit "what becomes another program does not hand it on"
	views code-ways implied-for-each
}

@test "more changes of view than there may be mappings" {
	views code-ways many-views
}

@test "asked for through syscall()" {
	views code-ways --syscall rwx rw-rx rw-rwx reservation places file-private heap
}

# ---------------------------------------------------------- written and run

@test "written and run in turn" {
	views code-turns rewrite rewrite-by-mprotect patch
}

@test "code that changes itself" {
	views code-turns loop patch-next
}

@test "data beside the code" {
	views code-turns counters
}

@test "every kind of store into the page that it lies in" {
	views code-turns stores
}

@test "stores that are seldom met" {
	views code-turns seldom-stores
}

@test "stores across two pages of code" {
	views code-turns stores-across
}

@test "string instructions" {
	views code-turns strings
}

@test "a stack in the page of the code" {
	known_limit "the kernel cannot deliver a fault on a stack that is executable just then"
	views code-turns stack
}

@test "much code at once" {
	views code-turns bulk
}

@test "pages of code beside one that is written" {
	views code-turns beside
}

@test "are turned with it, and back when one is run" {
	under strict "$HOSTS/code-turns" beside-mapped
	show strict
	diff - "$BATS_TEST_TMPDIR/strict.out" <<-'END'
		-- beside-mapped
		run: r-xs r-xs r-xs r-xs r-xs r-xs r-xs r-xs
		second written: rw-s rw-s rw-s rw-s r-xs r-xs r-xs r-xs
		first run: r-xs rw-s rw-s rw-s r-xs r-xs r-xs r-xs
		fourth run: r-xs rw-s r-xs r-xs r-xs r-xs r-xs r-xs
		second run: r-xs r-xs r-xs r-xs r-xs r-xs r-xs r-xs
		second written by a child: r-xs rw-p r-xs r-xs r-xs r-xs r-xs r-xs
		child: exit 0
	END
}

@test "but not what a stack lies in by now" {
	views code-turns stack-beside
}

@test "a thread stores into the page that another runs" {
	views code-turns two-threads
}

@test "threads add in a page that they run" {
	views code-turns locked-adds
}

@test "a function changes while others run it" {
	views code-turns patch-while-run
}

@test "threads write functions into the same pages" {
	views code-turns compilers
}

@test "memory that comes, is code, and goes" {
	views code-turns churn given-back
}

@test "the kernel reads into code" {
	views code-turns kernel-reads
}

@test "the kernel answers in a page of code" {
	views code-turns kernel-answers
}

# -------------------------------------------------------------------- calls

@test "rights of pages" {
	views code-calls rights/{anonymous,across,turned,heap,file,shared}
}

@test "pages of different rights in one call" {
	views code-calls mixed-rights/{anonymous,turned,heap,file,shared}
}

@test "code, data and a hole in one call" {
	views code-calls mixed-range/{anonymous,turned,heap,file,shared}
}

@test "munmap" {
	views code-calls unmap/{anonymous,across,turned,heap,file,shared}
}

@test "MAP_FIXED over code" {
	views code-calls map-over/{anonymous,across,turned,heap,file,shared}
}

@test "mremap to another place" {
	views code-calls move/{anonymous,across,turned,heap,file,shared}
}

@test "mremap of several mappings, some of them code" {
	views code-calls move-several move-across grow-turned
}

@test "mremap to another size" {
	views code-calls resize/{anonymous,across,turned,heap,shared}
}

@test "mremap of a file's pages to another size" {
	known_limit "a file's page that was given back is anonymous"
	views code-calls resize/file
}

@test "MREMAP_DONTUNMAP" {
	views code-calls dontunmap/{anonymous,across,turned,heap,file,shared}
}

@test "MADV_DONTNEED" {
	views code-calls dontneed/{anonymous,across,turned,heap,shared}
}

@test "MADV_DONTNEED of a file's pages" {
	known_limit "a file's page that was given back is anonymous"
	views code-calls dontneed/file
}

@test "other advice" {
	views code-calls advice/{anonymous,across,turned,heap,shared}
}

@test "other advice on a file's pages" {
	known_limit "a file's page that was given back is anonymous"
	views code-calls advice/file fork-advice/file
}

@test "advice about fork" {
	views code-calls fork-advice/{anonymous,across,turned,heap,shared}
}

@test "locked memory" {
	views code-calls lock/{anonymous,across,turned,heap,file,shared} \
		lock-again/{anonymous,across,turned,heap} unlock-some dontunmap-locked
}

@test "memory is locked and unlocked while a thread turns it" {
	views code-calls lock-beside/{anonymous,heap,shared}
}

@test "all memory locked" {
	known_limit "MCL_FUTURE locks jitmend's own memory too, and it is counted"
	views code-calls lock-all/{anonymous,turned,heap,file,shared}
}

@test "guards among code" {
	views code-calls guard/{anonymous,turned,heap}
}

@test "sealed memory" {
	known_limit "what is sealed cannot be turned, and is not known to be sealed"
	views code-calls seal/{anonymous,turned,heap,file,shared}
	if grep -q '^mseal: -1' native.out; then
		skip "this kernel has no mseal"
	fi
}

@test "protection keys" {
	known_limit "protection keys do not follow a page into its file"
	views code-calls keys/{anonymous,turned,heap,file,shared}
	if grep -q '^no protection keys' native.out; then
		skip "this processor or kernel has no protection keys"
	fi
}

@test "the heap is trimmed and grows again" {
	views code-calls trim brk-again
}

@test "calls through syscall()" {
	views code-calls --syscall {rights,unmap,move,resize,dontneed}/anonymous
}

# ------------------------------------------------------------------- limits

@test "no file may grow" {
	piped code-limits file-size-0 file-size-1 file-size-handler
}

@test "no descriptor is left, or all are closed, or another file's" {
	views code-limits no-descriptors all-closed replaced
}

@test "little address space, little data" {
	views code-limits address-space data
}

@test "little locked memory" {
	views code-limits locked
}

@test "what was said of memory where there may be no more mappings" {
	views code-limits advised
}

@test "no more processes" {
	views code-limits processes
}

# --------------------------------------------------------------------- fork

@test "after fork each has its own code" {
	views code-forks own one-side
}

@test "generations" {
	views code-forks generations
}

@test "siblings" {
	views code-forks siblings
}

@test "fork, and code made by mprotect" {
	views code-forks by-mprotect
}

@test "fork and exec, vfork, posix_spawn" {
	views code-forks exec vfork spawn spawn-beside-code pidfd-spawn-beside-code
}

@test "fork by other names" {
	views code-forks _Fork syscall clone
}

@test "children that are killed" {
	views code-forks killed
}

@test "300 forks take no more memory" {
	views code-forks bounded by-turns
}

@test "what was changed before a fork" {
	views code-forks changed-since
}

@test "fork while another thread writes code" {
	views code-forks while-busy
}

# ------------------------------------------------------------------ signals

@test "a handler sees the program's own faults" {
	views code-signals own-faults of-the-code
}

@test "a write barrier of the program's own" {
	views code-signals barrier
}

@test "a handler leaves sigaction" {
	views code-signals from-nowhere
}

@test "SIGSEGV blocked in every way" {
	views code-signals blocked
}

@test "handlers that leave by siglongjmp" {
	views code-signals jumps
}

@test "signal stacks of two frames, and of 64 KiB" {
	views code-signals two-frames stack-64k
}

@test "the smallest signal stack" {
	views code-signals small-stack
}

@test "a signal stack that has room for the kernel's frame and little more" {
	views code-signals tight-stack tight-barrier
}

@test "a filter of the program's own traps what a fault on a small signal stack takes" {
	views code-signals trapped
}

@test "a handler on a small signal stack runs new code" {
	views code-signals tight-frames tight-storm
}

@test "timers, and handlers that write code" {
	views code-signals profile-storm interrupted
}

@test "a thread's signals, and handlers that write code" {
	views code-signals thread-storm
}

@test "a SIGSEGV that somebody sent" {
	views code-signals sent
}

@test "faults that nobody handles" {
	views code-signals deadly deadly-ignored deadly-blocked
}

# ------------------------------------------------------------------ promise

# judged STATUS: what promise makes of the maps in the files a and b.
judged() {
	run_as judged "$PROMISE" --maps a b
	show judged
	[ "$(cat judged.status)" -eq "$1" ]
}

@test "the checker of the promise knows a breach" {
	echo '10000-12000 rw-s 00000000 00:01 77 /memfd:x (deleted)' >a
	echo '20000-22000 r-xs 00002000 00:01 77 /memfd:x (deleted)' >b
	judged 0
	echo '20000-22000 r-xs 00001000 00:01 77 /memfd:x (deleted)' >b
	judged 1
	echo '20000-22000 r-xp 00000000 00:01 77 /memfd:x (deleted)' >b
	judged 1
	echo '20000-22000 r-xs 00001000 00:02 77 /memfd:x (deleted)' >b
	judged 0
	echo '20000-22000 r--s 00001000 00:01 77 /memfd:x (deleted)' >b
	judged 0
	# A private store is to a copy.
	echo '10000-12000 rw-p 00000000 00:01 77 /memfd:x (deleted)' >a
	echo '20000-22000 r-xs 00000000 00:01 77 /memfd:x (deleted)' >b
	judged 0
	echo '20000-22000 rwxp 00000000 00:00 0 ' >b
	judged 1
	# The same in one process.
	printf '%s\n' '10000-12000 rw-s 00000000 00:01 77 /memfd:x (deleted)' \
		'20000-22000 r-xs 00000000 00:01 77 /memfd:x (deleted)' >a
	: >b
	judged 1
}

@test "without jitmend the promise is broken" {
	run_as native "$PROMISE" 5 code-signals "$HOSTS/code-signals" profile-storm
	show native
	[ "$(cat native.status)" -eq 1 ]
	grep -q 'writable and executable' native.out
	# A program without code is no test.
	run_as none "$PROMISE" 5 sleep sleep 0.1
	show none
	[ "$(cat none.status)" -eq 2 ]
}

# keeps COUNT HOST PART...: strict, that many looks find nothing amiss.
keeps() {
	local count=$1 host=$2

	shift 2
	run_as strict "$PROMISE" "$count" "$host" "$JITMEND" run --policy=strict --log=log -- \
		"$HOSTS/$host" "$@"
	show strict
	[ "$(cat strict.status)" -eq 0 ]
}

@test "the promise is kept by one thread" {
	keeps 100 code-turns rewrite patch counters loop strings bulk
}

@test "the promise is kept by several threads" {
	keeps 100 code-turns two-threads
	keeps 100 code-turns locked-adds
	keeps 100 code-turns patch-while-run
}

@test "the promise is kept through fork" {
	keeps 100 code-forks siblings
	keeps 100 code-forks while-busy
}

@test "the promise is kept in handlers" {
	keeps 100 code-signals profile-storm
	keeps 50 code-signals thread-storm
}

@test "the promise is kept where the policy is another" {
	local run policy

	[ -n "$AVAILABLE" ] || skip "no policy can be had here"
	for run in $AVAILABLE; do
		# One shared mapping, writable and executable, is what SELinux allows.
		[ "$run" != selinux ] || continue
		read -ra policy <<<"${DENIED[$run]}"
		run_as "$run" "$PROMISE" 50 code-turns "$JITMEND" deny "${policy[@]}" -- \
			"$JITMEND" run --log=log -- "$HOSTS/code-turns" rewrite counters locked-adds
		show "$run"
		[ "$(cat "$run.status")" -eq 0 ]
	done
}

# ------------------------------------------ executed out of their place

@test "instructions that store beside themselves and are seldom met" {
	views code-turns save-vectors pairs many-pairs far-pairs
	views code-signals seldom-faults seldom-storm
	views code-forks pairs
}

# ----------------------------------------- programs that lock themselves in

@test "a seccomp filter that traps what it does not know" {
	views code-confined filtered filtered-parent filtered-by-prctl filtered-of-files refused-copies
	piped code-confined limited
}

@test "children that were never where /proc is" {
	[ "$(id -u)" -eq 0 ] || unshare -Ur true 2>/dev/null || skip "no user namespace can be made here"
	views code-confined elsewhere elsewhere-after-fork zygote zygote-with-code zygotes zygote-by-clone
}

@test "children that unmount /proc, or mount over it, or go elsewhere" {
	unshare -m umount -l /proc 2>/dev/null || skip "nothing can be unmounted here"
	views code-confined covered covered-anew unmounted unmounted-later entered
}
