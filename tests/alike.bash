# alike.bash: for the tests that run a host of tests/hosts natively and with the
# library, and want to see no difference. Load it after common.bash.
#
# The library is told that execheap and execmod are refused (JITMEND_POLICY), so
# it mends each such request though this machine refuses none: that is fast, and
# needs no policy in force.
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2154 # $LIB is for ld.so; common.bash has the rest

PRELOAD=$top_builddir/src/preload/'$LIB'/libjitmend.so
POLICY=execheap,execmod

# Where hosts make their files, and drop what core there may be.
alike_setup() {
	skip_listed
	cd "$BATS_TEST_TMPDIR" || return
	export TMPDIR=$BATS_TEST_TMPDIR
	unset LD_PRELOAD
	ulimit -S -c 0
	printf '#!/bin/sh\n' >runs
	chmod +x runs
	./runs || skip "programs may not be run in $BATS_TEST_TMPDIR"
}

# with_library COMMAND...: runs it with the library in it. Who hangs is killed, so that
# there is a report of it.
with_library() {
	timeout -k 5 "$PATIENCE" env LD_PRELOAD="$PRELOAD${LD_PRELOAD:+:$LD_PRELOAD}" \
		JITMEND_POLICY="$POLICY" JITMEND_LOG="$BATS_TEST_TMPDIR/log.%p" "$@"
}

# alike HOST [--syscall] PART...: each part of the host prints the same, and ends
# with the same status, with the library as without.
alike() {
	local program=$HOSTS/$1 options=() part failed=0

	shift
	if [ "$1" = --syscall ]; then
		options=("$1")
		shift
	fi
	rm -f "$BATS_TEST_TMPDIR"/log.*
	for part; do
		run_as native timeout -k 5 "$PATIENCE" "$program" "${options[@]}" "$part"
		run_as mended with_library "$program" "${options[@]}" "$part"
		if [ "$(cat native.status)" -ne 0 ]; then
			echo "--- $part: fails natively"
			show native
			failed=1
		elif ! same_outcome native mended >/dev/null; then
			echo "--- $part: native (-), with the library (+)"
			diff -U 2 native.out mended.out || true
			echo "status $(cat native.status), $(cat mended.status)"
			head -n 5 mended.err
			end_of "$BATS_TEST_TMPDIR"/log.*
			failed=1
		fi
	done
	return "$failed"
}

# same_in RUNS WITH COMMAND...: natively, and as each of the RUNS, which WITH RUN
# COMMAND... runs, it prints and ends the same; what differs is shown.
same_in() {
	local runs=$1 with=$2 run failed=0

	shift 2
	run_as native timeout -k 5 "$PATIENCE" "$@"
	if [ "$(cat native.status)" -ge 97 ] && [ "$(cat native.status)" -le 127 ]; then
		echo "--- ${*##*/}: cannot go on natively"
		show native
		return 1
	fi
	for run in $runs; do
		"$with" "$run" "$@"
		same_outcome native "$run" >/dev/null && continue
		echo "--- ${*##*/}: native (-), $run (+)"
		diff -U 2 native.out "$run.out" | head -n 40
		echo "status $(cat native.status), $(cat "$run.status")"
		head -n 5 "$run.err"
		end_of "$BATS_TEST_TMPDIR/log.$run"*
		failed=1
	done
	return "$failed"
}

# logged TEXT: some run of the last alike has it in its log. Without that, alike
# would be content with a library that does nothing.
logged() {
	grep -qF -e "$1" "$BATS_TEST_TMPDIR"/log.*
}

# known_limit REASON: jitmend is known not to do this yet. JITMEND_TEST_LIMITS=1
# tries it all the same.
known_limit() {
	[ -n "${JITMEND_TEST_LIMITS:-}" ] || skip "known limit: $1"
}
