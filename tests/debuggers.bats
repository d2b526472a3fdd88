#!/usr/bin/env bats
# debuggers.bats: gdb and perf on a mended program: what DEBUGGERS in libjitmend(7)
# says works. Where it can be compared, gdb prints the same lines as of the program
# without jitmend.

# shellcheck disable=SC2154 # common.bash

load common
load alike
load under

setup() {
	under_setup
	FILE=$top_srcdir/tools/jitmend.gdb
	LIBRARY=$top_builddir/src/preload/$DL_LIB/libjitmend.so
}

# require_gdb: skips the test where it cannot run a program, as in a container.
require_gdb() {
	require_program gdb
	gdb -nx -q -batch -ex run -ex 'printf "%s\n", "ran"' true >can-run 2>&1 </dev/null || true
	grep -q 'exited normally' can-run || skip "gdb may run no program here"
}

# debug NAME PART [GDB-OPTION...]: the host's part, with the gdb script on standard
# input, as run NAME; mended unless the name is native. What gdb prints itself is not
# kept, but for the script's own lines, which begin with a colon.
debug() {
	local name=$1 part=$2 options=()

	shift 2
	if [ "$name" != native ]; then
		options=(-iex "set exec-wrapper env JITMEND_LOG=/dev/null JITMEND_POLICY=strict LD_PRELOAD=$LIBRARY" \
			-x "$FILE")
	fi
	cat >script
	timeout -k 5 "$PATIENCE" gdb -nx -q -batch "${options[@]}" "$@" -x script \
		--args "$HOSTS/debugged" "$part" >"$name.all" 2>&1 </dev/null 3>&- || true
	grep '^:' "$name.all" >"$name.lines" || true
}

# same_in_gdb PART: prints the same lines of a script, and some.
same_in_gdb() {
	cat >the-script
	debug native "$1" <the-script
	debug mended "$1" <the-script
	diff native.lines mended.lines && [ -s native.lines ] || {
		tail -n 30 native.all mended.all
		return 1
	}
}

@test "gdb: breakpoints and steps in the program's own functions" {
	require_gdb
	same_in_gdb work <<-'EOF'
		break ordinary
		commands
		silent
		printf ": %d\n", value
		finish
		printf ": %d\n", watched
		end
		run
		continue
		continue
		printf ": %d\n", watched
		continue
		printf ": %d\n", $_exitcode
	EOF
	cat native.lines
	[ "$(tail -n 1 native.lines)" = ": 0" ]
}

@test "gdb: watchpoints" {
	require_gdb
	same_in_gdb work <<-'EOF'
		tbreak written
		run
		watch watched
		commands
		silent
		printf ": %d\n", watched
		continue
		end
		continue
	EOF
	[ "$(wc -l <native.lines)" -eq 3 ] || skip "no hardware watchpoints here"
}

@test "gdb: hardware breakpoints in generated code, and what a debugger reads there" {
	require_gdb
	same_in_gdb work <<-'EOF'
		tbreak written
		run
		hbreak *code
		commands
		silent
		printf ": %d, bytes %d %d\n", $pc == code, code[0], code[1]
		continue
		end
		continue
		printf ": %d\n", $_exitcode
	EOF
	[ "$(wc -l <native.lines)" -eq 4 ] || skip "no hardware breakpoints here"
}

@test "gdb: breakpoints of software in generated code" {
	require_gdb
	known_limit "a debugger cannot write to a page that is mapped from a file"
	same_in_gdb work <<-'EOF'
		tbreak ordinary
		run
		break *code
		commands
		silent
		printf ": %d\n", $pc == code
		continue
		end
		continue
	EOF
}

@test "gdb stops at the program's own fault, where it was" {
	require_gdb
	grep -q '^#define HAVE_SYS_SDT_H 1' "$top_builddir/config.h" ||
		skip "built without systemtap's <sys/sdt.h>"
	debug mended crash <<-'EOF'
		run
		python print(":", gdb.selected_frame().name())
		printf ": %d\n", watched
		continue
	EOF
	cat mended.all
	[ "$(cat mended.lines)" = $': crash\n: 30' ]
	grep -q 'terminated with signal SIGSEGV' mended.all
	debug mended crash-in-code <<-'EOF'
		run
		printf ": %d\n", $pc == code + 4094
		up
		python print(":", gdb.selected_frame().name())
		continue
	EOF
	cat mended.all
	[ "$(head -n 1 mended.lines)" = ': 1' ]
	grep -q 'terminated with signal SIGSEGV' mended.all
}

@test "gdb: attaching, and leaving again" {
	local host

	require_gdb
	"$JITMEND" run --quiet --policy=strict -- "$HOSTS/debugged" wait >said 2>&1 3>&- &
	host=$!
	eventually grep -q waiting said
	timeout -k 5 "$PATIENCE" gdb -nx -q -batch -x "$FILE" -ex 'printf ": %d\n", code[5] == 0xc3' \
		-ex 'break ordinary' -ex continue -ex 'bt 1' -ex 'set go_on = 1' -ex 'delete' \
		-ex detach -p "$host" >gdb.all 2>&1 </dev/null 3>&- || true
	if grep -q 'Operation not permitted' gdb.all; then
		kill "$host"
		skip "gdb may attach to no program here"
	fi
	wait "$host"
	cat gdb.all said
	grep -q '^#0 .*ordinary' gdb.all
	[ "$(tail -n 1 said)" = on ]
}

# lldb believes what it is told: after the end of a vfork of which it saw no beginning it
# set its breakpoints twice, and could not take them away again.
@test "a tracer is told of nothing that the library does to learn a filter's answer" {
	require_deny --seccomp
	run_as native "$HOSTS/tracer" true
	run_as mended "$JITMEND" deny --seccomp -- "$HOSTS/tracer" \
		env LD_PRELOAD="$LIBRARY" JITMEND_LOG="$PWD/log" true
	cat log
	grep -q '"policy_from":"filter"' log
	same_outcome native mended
}

@test "a core of the program's own fault has its code, and the place" {
	local status=0

	require_program gdb
	[ "$(cat /proc/sys/kernel/core_pattern)" = core ] ||
		grep -qx 'core\.%p' /proc/sys/kernel/core_pattern ||
		skip "cores do not go to the working folder: $(cat /proc/sys/kernel/core_pattern)"
	ulimit -S -c unlimited || skip "no cores: ulimit -c"
	"$JITMEND" run --quiet --policy=strict -- "$HOSTS/debugged" crash >/dev/null 2>&1 3>&- || status=$?
	[ "$status" -eq 139 ]
	ls core*
	gdb -nx -q -batch -ex 'bt 1' -ex 'printf ": %d %d\n", code[0], code[1]' \
		"$HOSTS/debugged" core* >gdb.all 2>&1 </dev/null 3>&-
	cat gdb.all
	grep -q '^#0 .*crash' gdb.all
	rm core*
	case $(uname -m) in
	x86_64) grep -qx ': 184 3' gdb.all ;;
	esac
}

# perf may be installed and still not be allowed to count; a clock is enough.
@test "perf: generated code has its names after perf.sed" {
	local map

	require_program perf
	perf record -q -e cpu-clock:u -o can.data true >perf.out 2>&1 </dev/null ||
		skip "perf may not record here"
	perf record -q -e cpu-clock:u -o perf.data "$JITMEND" run --quiet --policy=strict -- \
		"$HOSTS/debugged" hot >said 2>&1 </dev/null 3>&-
	map=$(grep '^/tmp/perf-' said)
	perf report --stdio -i perf.data >before 2>/dev/null </dev/null
	LC_ALL=C sed -i -f "$top_srcdir/tools/perf.sed" perf.data
	perf report --stdio -i perf.data >after 2>/dev/null </dev/null
	rm -f "$map"
	head -n 30 before after
	grep -q 'memfd:jitmend' before
	grep -q 'jitted_by_debugged' after
}
