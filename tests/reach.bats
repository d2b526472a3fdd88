#!/usr/bin/env bats
# reach.bats: calls that no symbol of the program's shows: out of a library opened
# with RTLD_DEEPBIND, by pointers that dlsym took from libc's handle, and out of
# libc itself. Where a policy is known, libc's entry points lead to the hooks.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # for and from alike.bash and common.bash

load common
load alike

setup() {
	alike_setup
	"$CC" -O1 -shared -fPIC -o module.so "$top_srcdir/tests/hosts/deepbind-module.c" ||
		skip "$CC cannot build a shared library"
	export DEEPBIND_MODULE=$PWD/module.so
	POLICY=strict
}

# under POLICY... -- PART...: the host fares under the policies, with jitmend told
# of them, as natively; without it something is refused.
under() {
	local policy=() words

	while [ "$1" != -- ]; do
		policy+=("$1")
		shift
	done
	shift
	require_deny "${policy[@]/#/--}"
	printf -v words '%s,' "${policy[@]}"
	rm -f log.0
	run_as native "$HOSTS/deepbind" "$@"
	run_as denied "$JITMEND" deny "${policy[@]/#/--}" -- "$HOSTS/deepbind" "$@"
	run_as mended "$JITMEND" deny "${policy[@]/#/--}" -- \
		"$JITMEND" run --policy="${words%,}" --log="$PWD/log.0" -- "$HOSTS/deepbind" "$@"
	show denied
	same_outcome native mended
	grep -q '^executable: -1 E' denied.out
}

# patched ANSWER COMMAND...: whether libc is, in a host that is run so.
patched() {
	local answer=$1

	shift
	run_as text "$@" "$HOSTS/deepbind" text
	show text
	[ "$(cat text.status)" -eq 0 ]
	grep -qx "patched: $answer" text.out
	grep -qx 'otherwise than r-xp: 0' text.out
}

@test "a library opened with RTLD_DEEPBIND" {
	under execheap execmod -- module
	logged "at $PWD/module.so+"
}

@test "the same library by libc's syscall()" {
	under execmod -- module-syscall
	logged "at $PWD/module.so+"
}

@test "a pointer that dlsym took from libc's own handle" {
	under execmod -- handle
	logged "at $HOSTS/deepbind+"
}

@test "each entry of libc answers as ever" {
	alike deepbind errors
	patched yes with_library
}

@test "pthread_create asks for a stack that may be executed: libc's own request is seen" {
	require_deny --execmem
	cat >stack.c <<-'END'
		#include <pthread.h>
		static void *run(void *argument) { return argument; }
		int main(void)
		{
			pthread_t thread;
			return pthread_create(&thread, 0, run, 0) || pthread_join(thread, 0);
		}
	END
	"$CC" -o stack stack.c -pthread -z execstack 2>cc.err || skip "$CC makes no such program"
	run_as mended "$JITMEND" deny --execmem -- \
		"$JITMEND" run --policy=execmem --log="$PWD/log.0" -- ./stack
	show mended
	show_log 2>/dev/null || true
	logged "at $(ldd ./stack | awk '$1 == "libc.so.6" { print $3 }')+"
}

# ------------------------------------------------------ memory of malloc's

@test "malloc unmaps memory that held code" {
	alike deepbind chunk
	patched yes with_library
}

@test "malloc moves memory that held code" {
	alike deepbind grown
	patched yes with_library
}

@test "malloc trims memory that held code" {
	alike deepbind arena
	patched yes with_library
}

@test "fork while threads free memory that held code" {
	run_as native "$HOSTS/deepbind" while-forking
	run_as mended with_library "$HOSTS/deepbind" while-forking
	same_outcome native mended
}

# ------------------------------------------------------------ when, and when not

@test "libc is left alone where nothing is known to be refused" {
	grep -q '^Seccomp:[[:space:]]*0' /proc/self/status || skip "a seccomp filter is in force here"
	[ "$(cat /sys/fs/selinux/enforce 2>/dev/null || echo 0)" = 0 ] || skip "SELinux is enforcing here"
	patched no
	patched no env LD_PRELOAD="$PRELOAD" JITMEND_LOG=/dev/null
	patched no env LD_PRELOAD="$PRELOAD" JITMEND_LOG=/dev/null JITMEND_POLICY=none
	patched no with_library env JITMEND_POLICY=none
}

@test "libc is left alone in an audit" {
	patched no env LD_PRELOAD="$PRELOAD" JITMEND_LOG=/dev/null JITMEND_MODE=audit \
		JITMEND_POLICY=strict
}

@test "libc is patched under each policy, by none of whose rules" {
	local policy

	for policy in mdwe seccomp execmem; do
		require_deny "--$policy"
		patched yes "$JITMEND" deny "--$policy" -- \
			"$JITMEND" run --policy="$policy" --log=/dev/null --
	done
	patched yes "$JITMEND" run --policy=strict --log=/dev/null --
}

@test "where no file may be written libc stays as it is" {
	# Nor may the host write its answer to one.
	patched no env LD_PRELOAD="$PRELOAD" JITMEND_POLICY="$POLICY" JITMEND_LOG=/dev/null \
		sh -c '(ulimit -f 0; exec "$@") | cat' sh
}

@test "a child of fork, and a program that is started, are patched too" {
	patched yes with_library sh -c '"$@"; exit' sh
}

# ---------------------------------------------------------------- a debugger

require_gdb() {
	require_program gdb
	run_as gdb timeout "$PATIENCE" gdb -nx -batch -ex 'set startup-with-shell off' -ex run /bin/true
	grep -q 'exited normally' gdb.out || skip "gdb cannot run a program here"
}

# gdb does not put anything for $LIB.
under_gdb() {
	run_as debugged timeout "$PATIENCE" gdb -nx -batch -iex 'set debuginfod enabled off' \
		-ex 'set breakpoint pending on' -ex 'set startup-with-shell off' \
		-ex "set environment LD_PRELOAD ${PRELOAD//\$LIB/$DL_LIB}" \
		-ex "set environment JITMEND_POLICY $POLICY" \
		-ex "set environment JITMEND_LOG $PWD/log.gdb" \
		-ex 'handle SIGSEGV nostop noprint pass' -ex "file $HOSTS/deepbind" "$@"
	show debugged
}

@test "gdb sets a breakpoint in libc, and takes it away" {
	require_gdb
	under_gdb -ex 'break main' -ex 'run handle text' -ex 'break protect_by_pointer' \
		-ex continue -ex 'break *libc_mprotect' -ex continue -ex 'bt 2' -ex delete -ex continue
	grep -q '^Breakpoint 3, .*mprotect' debugged.out
	grep -q '^#1 .*protect_by_pointer' debugged.out
	[ "$(grep -c '^returns' debugged.out)" -eq 2 ]
	grep -q '^patched: yes' debugged.out
	grep -q 'exited normally' debugged.out
}

@test "a page that holds a breakpoint already is left alone" {
	require_gdb
	# The first stops are before any constructor, the second with libc loaded.
	cat >commands <<-'END'
		set stop-on-solib-events 1
		run text
		continue
		set stop-on-solib-events 0
		break mprotect
		commands
		silent
		continue
		end
		continue
	END
	under_gdb -x commands
	grep -q 'exited normally' debugged.out
	grep -q '^patched: no' debugged.out
}
