# under.bash: for the tests that run parts of a host of tests/hosts natively, under
# PR_SET_MDWE with jitmend, and with the strict policy, and want to see no
# difference. Load it after common.bash.
# shellcheck shell=bash
# shellcheck disable=SC2154 # common.bash has the rest

under_setup() {
	skip_listed
	cd "$BATS_TEST_TMPDIR" || return
	export TMPDIR=$BATS_TEST_TMPDIR
	unset LD_PRELOAD
	ulimit -S -c 0
}

# under POLICY COMMAND...: as the run of that name. mdwe is in force, strict is
# jitmend's own.
under() {
	local name=$1 log=$BATS_TEST_TMPDIR/log.$1

	shift
	case $name in
	mdwe)
		run_as mdwe timeout -k 5 "$PATIENCE" "$JITMEND" deny --mdwe -- \
			"$JITMEND" run --log="$log" -- "$@"
		;;
	strict)
		run_as strict timeout -k 5 "$PATIENCE" "$JITMEND" run --policy=strict --log="$log" -- "$@"
		;;
	esac
}

# same_under POLICY HOST [--syscall] PART...: each part prints the same and ends
# the same as natively, and something was mended.
same_under() {
	local name=$1 program=$HOSTS/$2 options=() part failed=0

	shift 2
	if [ "$1" = --syscall ]; then
		options=("$1")
		shift
	fi
	rm -f "$BATS_TEST_TMPDIR/log.$name"
	for part; do
		run_as native timeout -k 5 "$PATIENCE" "$program" "${options[@]}" "$part"
		under "$name" "$program" "${options[@]}" "$part"
		if [ "$(cat native.status)" -ne 0 ]; then
			echo "--- $part: fails natively"
			show native
			failed=1
		elif ! same_outcome native "$name" >/dev/null; then
			echo "--- $part: native (-), $name (+)"
			diff -U 2 native.out "$name.out" || true
			echo "status $(cat native.status), $(cat "$name.status")"
			head -n 5 "$name.err"
			end_of "$BATS_TEST_TMPDIR/log.$name"
			failed=1
		fi
	done
	[ "$failed" -eq 0 ] && grep -q mended "$BATS_TEST_TMPDIR/log.$name"
}
