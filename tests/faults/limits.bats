#!/usr/bin/env bats
# limits.bats: programs that make code where something is missing or used up. Each
# part of tests/faults/host.c runs natively under the limit, and with jitmend under
# the limit: it prints the same, but for requests that were refused with an error
# that the kernel could have given, and no signal comes that did not come natively.
# `make check-faults' runs it; tests/views.bats has what a program limits itself.

load ../common

# shellcheck disable=SC2154 # common.bash sees to it
FAULTS=$top_builddir/tests/faults
PRELOAD=$top_builddir/src/preload/'$LIB'/libjitmend.so
PARTS=(rwx rw-rx heap shared forks given-back stores threads reservation own-faults)

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	chmod 755 .
	export TMPDIR=$BATS_TEST_TMPDIR
	unset LD_PRELOAD
	ulimit -S -c 0
}

# mended POLICY COMMAND...: prints the command line, each word a line. The library
# comes into the last program alone, not into those that set up the limit.
preloaded() {
	local policy=$1

	shift
	case $policy in
	strict) set -- env JITMEND_POLICY=strict "LD_PRELOAD=$PRELOAD" "$@" ;;
	heap) set -- env JITMEND_POLICY=execheap,execmod "LD_PRELOAD=$PRELOAD" "$@" ;;
	mdwe) set -- "$top_builddir/tools/jitmend-deny" --mdwe -- env "LD_PRELOAD=$PRELOAD" "$@" ;;
	esac
	COMMAND=("$@")
}

# limited [LIMIT...] -- PART...: each part does under the limit what it may do. LIMIT
# is a command that runs a command.
limited() {
	local limit=() part policy failed=0 COMMAND

	while [ "$1" != -- ]; do
		limit+=("$1")
		shift
	done
	shift
	export JITMEND_LOG=$BATS_TEST_TMPDIR/log
	for part; do
		run_as native timeout -k 5 "$PATIENCE" "${limit[@]}" "$FAULTS/host" "$part"
		if [ "$(cat native.status)" -ne 0 ]; then
			echo "--- $part fails natively"
			show native
			return 1
		fi
		for policy in strict heap mdwe; do
			[ "$policy" != mdwe ] || "$top_builddir/tools/jitmend-deny" --mdwe -- true \
				2>/dev/null || continue
			preloaded "$policy" "$FAULTS/host" "$part"
			run_as mended timeout -k 5 "$PATIENCE" "${limit[@]}" "${COMMAND[@]}"
			"$FAULTS/faults" --judge native.out mended.out >verdict &&
				[ "$(cat native.status)" -eq "$(cat mended.status)" ] && continue
			echo "--- $part, $policy: status $(cat native.status), $(cat mended.status)"
			cat verdict
			head -n 5 mended.err
			failed=1
		done
	done
	return "$failed"
}

# gives_up: the last run had to do without, so the limit was one.
gives_up() {
	grep -q ': -1 E' mended.out
}

# privately: a mount namespace of its own can be had here.
require_mounts() {
	unshare -m mount -t tmpfs none /mnt 2>/dev/null || skip "nothing can be mounted here"
}

# mounting SCRIPT COMMAND...: runs the command where SCRIPT has mounted something.
mounting() {
	local script=$1

	shift
	unshare -m sh -c "$script"' && exec "$@"' sh "$@"
}

require_without() {
	[ -x "$FAULTS/without" ] || skip "built without libseccomp"
	"$FAULTS/without" memfd_create true || skip "no filter can be had here"
}

@test "no /proc" {
	require_mounts
	limited unshare -m sh -c 'mount -t tmpfs none /proc && exec "$@"' sh -- "${PARTS[@]}"
}

@test "no memfd" {
	require_without
	limited "$FAULTS/without" memfd_create -- "${PARTS[@]}"
	! gives_up
}

@test "no memfd and no /dev/shm" {
	require_without
	require_mounts
	limited unshare -m sh -c 'mount -t tmpfs -o ro none /dev/shm && exec "$@"' sh \
		"$FAULTS/without" memfd_create -- "${PARTS[@]}"
	! gives_up
}

# Where no file can be had, the request is refused: it is too late when code runs.
@test "no file at all" {
	require_without
	limited "$FAULTS/without" memfd_create,O_TMPFILE -- "${PARTS[@]}"
	gives_up
}

# Of 64 KiB, as a fallback; and with nothing left in it.
@test "files that cannot grow" {
	local size

	require_without
	require_mounts
	for size in 64k 16k 4k; do
		limited unshare -m sh -c 'mount -t tmpfs -o size=$0 none /dev/shm &&
			{ head -c $1 /dev/zero >/dev/shm/full; shift; exec "$@"; }' "$size" 4k \
			"$FAULTS/without" memfd_create -- "${PARTS[@]}"
	done
}

@test "vm.memfd_noexec is 2" {
	local limit=(unshare -pf --mount-proc sh -c
		'echo 2 >/proc/sys/vm/memfd_noexec && exec "$@"' sh)

	"${limit[@]}" true 2>/dev/null || skip "vm.memfd_noexec cannot be set here"
	limited "${limit[@]}" -- "${PARTS[@]}"
	! gives_up
}

@test "few descriptors from the start" {
	local most

	for most in 4 5 6 8; do
		limited prlimit --nofile=$most: -- rwx heap forks
		limited prlimit --nofile=$most:$most -- rwx heap given-back
	done
}

@test "no file may grow from the start" {
	# Standard output is a pipe: a file could not grow either.
	limited sh -c '{ prlimit --fsize=0:0 "$@"; echo "status $?"; } | cat' sh -- "${PARTS[@]}"
}

# Where there is too little to load a library that is not a limit of ours.
starts() {
	"$@" "$FAULTS/host" rwx >/dev/null 2>&1 &&
		"$@" env LD_PRELOAD="$PRELOAD" "$FAULTS/host" rwx >/dev/null 2>&1
}

@test "little address space from the start" {
	local kilobytes tried=0

	for ((kilobytes = 2500; kilobytes < 12000; kilobytes += 211)); do
		starts prlimit --as=$((kilobytes * 1024)) || continue
		limited prlimit --as=$((kilobytes * 1024)) -- rwx heap given-back
		tried=1
	done
	[ "$tried" -eq 1 ]
}

@test "little data from the start" {
	local kilobytes tried=0

	for ((kilobytes = 0; kilobytes < 3000; kilobytes += 97)); do
		starts prlimit --data=$((kilobytes * 1024)) || continue
		limited prlimit --data=$((kilobytes * 1024)) -- rwx heap given-back
		tried=1
	done
	[ "$tried" -eq 1 ]
}

@test "no mapping is left" {
	limited -- mappings-0 mappings-2 mappings-6 mappings-30
}

# A fault has no error: what it takes must be at hand, or there must be another way.
@test "the program has forbidden itself mmap" {
	limited -- without-mmap without-mmap-beside
}

@test "the program has forbidden itself mprotect" {
	limited -- without-mprotect without-mprotect-beside
}

@test "the program has forbidden itself new files" {
	limited -- without-files without-files-beside
}

# A command that runs a command in a cgroup with so much memory, of either version; that
# of version 1 is mounted for it alone.
# shellcheck disable=SC2016 # for that shell
IN_MEMORY_GROUP=(unshare -m sh -c '
	if grep -qw memory /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null; then
		at=/sys/fs/cgroup limit=memory.max
	else
		mount -t cgroup -o memory none /mnt || exit 125
		at=/mnt limit=memory.limit_in_bytes
	fi
	group=$at/jitmend-$$ most=$1 status=0
	shift
	mkdir "$group" || exit 125
	if echo "$most" >"$group/$limit"; then
		(echo 0 >"$group/cgroup.procs" && exec "$@") || status=$?
	else
		status=125
	fi
	rmdir "$group"
	exit "$status"' sh)

require_memory_group() {
	"${IN_MEMORY_GROUP[@]}" 20M true 2>/dev/null || skip "no memory cgroup can be made here"
}

# What a program can have natively is not used up by what it takes to mend it.
@test "a memory cgroup is nearly full" {
	local most

	require_memory_group
	for most in 9M 10M 20M; do
		limited "${IN_MEMORY_GROUP[@]}" "$most" -- much
	done
}

# Who needs more than there is is killed, mended or not.
@test "a memory cgroup is full" {
	local policy COMMAND

	require_memory_group
	run_as native "${IN_MEMORY_GROUP[@]}" 4M "$FAULTS/host" much
	show native
	[ "$(cat native.status)" -eq 137 ]
	export JITMEND_LOG=$BATS_TEST_TMPDIR/log
	for policy in strict heap; do
		preloaded "$policy" "$FAULTS/host" much
		run_as mended "${IN_MEMORY_GROUP[@]}" 4M "${COMMAND[@]}"
		same_outcome native mended
	done
}
