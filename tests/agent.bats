#!/usr/bin/env bats
# agent.bats: programs that no library can be preloaded into, and system calls that go
# past libc: jitmend-agent. Each part of tests/hosts/agent.c runs natively and mended,
# linked statically and dynamically, under the policies that the kernel itself has, and
# must print and end the same; so must parts of other hosts, and real programs.

# shellcheck disable=SC2154 # common.bash sees to it

load common
load alike

setup() {
	[ -x "$top_builddir/tools/jitmend-agent" ] || skip "jitmend-agent is no part of this build"
	alike_setup
}

teardown() {
	journals_are_right
}

# static_agent: the host, linked statically, as ./agent.
static_agent() {
	"$CC" -static -pthread -O1 -I"$top_srcdir/tests/hosts" -I"$top_srcdir/src" -o agent \
		"$top_srcdir/tests/hosts/agent.c" "$top_srcdir/tests/hosts/host.c" 2>cc.err ||
		skip "$CC cannot link statically: $(head -n 1 cc.err)"
}

# mended RUN COMMAND...: runs it under the policy of that name, by the agent.
mended() {
	local run=$1

	shift
	case $run in
	strict)
		run_as "$run" timeout -k 5 "$PATIENCE" "$JITMEND" run --all --policy=strict \
			--log="$BATS_TEST_TMPDIR/log.$run" -- "$@"
		;;
	*)
		run_as "$run" timeout -k 5 "$PATIENCE" "$JITMEND" deny "--$run" -- \
			"$JITMEND" run --all --log="$BATS_TEST_TMPDIR/log.$run" -- "$@"
		;;
	esac
}

# same COMMAND...: it prints and ends the same everywhere.
same() {
	same_in "mdwe seccomp strict" mended "$@"
}

# was_mended: the journals tell of it.
was_mended() {
	grep -q '"done":"mended' "$BATS_TEST_TMPDIR"/log.mdwe ||
		grep -q 'mended by' "$BATS_TEST_TMPDIR"/log.mdwe
}

@test "a static program's code, in threads and in children" {
	static_agent
	same ./agent code
	was_mended
	same ./agent in-thread
	same ./agent forks
	same ./agent heap
}

@test "the kernel writes into a static program's code" {
	static_agent
	same ./agent kernel-writes
}

@test "a static program's signals, and pointers that lead nowhere" {
	static_agent
	same ./agent signals
	same ./agent bad-pointers
}

@test "a static program finds itself as it is natively" {
	static_agent
	same ./agent itself
	ln -s agent other-name
	PATH=$PWD:$PATH same other-name itself
}

@test "a static program becomes others: static, dynamic, scripts, and what cannot be" {
	static_agent
	printf '#!%s itself\n' "$PWD/agent" >script
	printf '#!/bin/sh\necho "$0" is a script\n' >shell
	printf '#!%s\n' "$PWD/shell" >script-of-script
	printf 'nothing\n' >data
	cp data closed
	mkfifo fifo
	chmod +x script shell script-of-script data fifo
	same ./agent execs "$PWD/agent" /bin/true "$PWD/script" "$PWD/shell" \
		"$PWD/script-of-script" "$PWD/data" "$PWD/closed" "$PWD/missing" "$PWD" "$PWD/fifo"
	same ./agent vforks
}

@test "what an exec takes goes, though another thread's exec is under way" {
	static_agent
	cp /bin/true leased
	same ./agent execs-beside "$PWD/leased"
	! grep -q 'no leases' native.out || skip "no leases on this file system"
	same ./agent execs-unseen "$PWD/leased"
}

@test "a static program's threads exec at once, what is a program and what is none" {
	static_agent
	# e_phnum (elf(5)), which no program has that many of.
	cp /bin/true damaged
	printf '\377\377' | dd of=damaged bs=1 seek=56 conv=notrunc status=none
	same ./agent execs-at-once "$PWD/damaged"
}

@test "system calls by the instruction itself, in a dynamic program" {
	same "$HOSTS/agent" code
	was_mended
	same "$HOSTS/agent" in-thread
	same "$HOSTS/agent" kernel-writes
	same "$HOSTS/agent" forks
	same "$HOSTS/agent" signals
}

@test "other hosts, by the agent" {
	same "$HOSTS/code-turns" rewrite patch counters loop stores two-threads kernel-answers
	was_mended
	same "$HOSTS/code-ways" rwx rw-rwx file-private anonymous-shared read-implies-exec
	same "$HOSTS/code-forks" siblings
}

@test "nested functions, on the stack that the program's file asks for" {
	cat >nested.c <<-END
		#include <stdio.h>
		static int call(int (*function)(int)) { return function(3); }
		int main(int argc, char **argv)
		{
			volatile int by = argc + 4;
			int times(int n) { return n * by; }
			(void)argv;
			printf("%d\n", call(times));
			return 0;
		}
	END
	"$CC" -O0 -o nested nested.c 2>cc.err || skip "$CC knows no nested functions: $(head -n 1 cc.err)"
	same ./nested
	"$CC" -O0 -static -o nested nested.c 2>cc.err || skip "$CC cannot link statically: $(head -n 1 cc.err)"
	same ./nested
}

@test "programs that lock themselves in, by the agent" {
	local part

	same "$HOSTS/code-confined" filtered
	same "$HOSTS/code-confined" filtered-parent
	same "$HOSTS/code-confined" filtered-of-files
	same "$HOSTS/code-confined" refused-copies
	[ "$(id -u)" -eq 0 ] || unshare -Ur true 2>/dev/null || skip "no user namespace can be made here"
	same "$HOSTS/code-confined" zygote
	same "$HOSTS/code-confined" zygotes
	was_mended
	unshare -m umount -l /proc 2>/dev/null || skip "nothing can be unmounted here"
	for part in covered covered-anew unmounted unmounted-later entered; do
		same "$HOSTS/code-confined" "$part"
	done
}

@test "programs start others where there is no /proc" {
	local -a alone=(unshare -m)

	[ "$(id -u)" -eq 0 ] || alone=(unshare -Ur -m)
	"${alone[@]}" mount -t tmpfs none /proc 2>/dev/null || skip "nothing can be mounted here"
	printf '#!/bin/sh\nmount -t tmpfs none /proc && exec "$@"\n' >hide
	printf '#!/bin/sh\nls -A /proc; sh -c "exit 7"; echo $?; exec sh -c "echo other"\n' >start
	chmod +x hide start
	same "${alone[@]}" ./hide ./start
	run_as native "${alone[@]}" ./hide ./start
	run_as all "${alone[@]}" ./hide "$JITMEND" run --all --policy=strict --quiet -- ./start
	same_outcome native all
}

@test "a script, and the environment, as the program would find them natively" {
	printf '#!/usr/bin/env -S sh -e\necho "$0 $*"; cat /proc/$$/comm; env | sort | grep -v "^_="\n' >script
	chmod +x script
	run_as native ./script one two
	run_as all "$JITMEND" run --all -- ./script one two
	same_outcome native all
	run_as native env -i A=b ./script
	run_as all env -i A=b "$JITMEND" run --all -- ./script
	same_outcome native all
}

@test "exit statuses and signals are the program's" {
	run_as native sh -c 'exit 7'
	run_as all "$JITMEND" run --all -- sh -c 'exit 7'
	same_outcome native all
	run_as native sh -c 'kill -TERM $$'
	run_as all "$JITMEND" run --all -- sh -c 'kill -TERM $$'
	same_outcome native all
	refused 127 'no such program' run --all -- nowhere
}

@test "BusyBox, which executes itself" {
	busybox=$(command -v busybox) || skip "busybox is not installed"
	same "$busybox" sh -c 'for i in 1 2 3; do busybox echo $i; done; busybox ls -d /; exit 3'
}

@test "static qemu-user translates under every policy" {
	require_program qemu-x86_64-static
	same qemu-x86_64-static /bin/echo translated
	was_mended
}

@test "valgrind, started by its script" {
	require_program valgrind
	same valgrind -q --tool=none /bin/echo under valgrind
	was_mended
}
