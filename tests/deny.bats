#!/usr/bin/env bats
# deny.bats: `jitmend deny' refuses what the policies refuse and nothing else,
# and leaves no other trace in the program's life.
#
# The verdicts are compared with the table that was measured under the real
# policies: hosts/ask makes each request of it.

load common

# shellcheck disable=SC2154 # common.bash sees to it
DENY=$top_builddir/tools/jitmend-deny
ASK=$HOSTS/ask
SELINUX=(--execheap --execmod --execmem --execstack)

setup() {
	[ -x "$DENY" ] || skip "built without libseccomp"
}

# The helper itself, so that these tests hold without the wrapper.
require_deny() {
	local message status=0

	message=$("$DENY" "$@" -- true 2>&1) || status=$?
	[ "$status" -ne 125 ] || skip "${message%%$'\n'*}"
}

# verdicts POLICY... <<TABLE: each line of the table is a request and what must
# come of it under these policies. What this machine lacks even without a policy
# is left out, so that a missing System V segment or pkey is no failure.
verdicts() {
	local name wanted native line wrong=0 compared=0
	local -a names=()
	local -A table=()

	require_deny "$@"
	while read -r name wanted; do
		names+=("$name")
		table[$name]=$wanted
	done
	run_as native "${ask32:-$ASK}" --fork "${names[@]}"
	run_as denied "$DENY" "$@" -- "${ask32:-$ASK}" --fork "${names[@]}"
	for name in "${names[@]}"; do
		native=$(grep "^$name: " "$BATS_TEST_TMPDIR/native.out")
		line=$(grep "^$name: " "$BATS_TEST_TMPDIR/denied.out")
		[ "$native" = "$name: ok" ] || [ "$name" = bad-fd-rwx ] ||
			[ "$name" = anon-hole-rx ] || continue
		compared=$((compared + 1))
		[ "$line" = "$name: ${table[$name]}" ] && continue
		echo "$line, but ${table[$name]} is what that policy says"
		wrong=1
	done
	[ "$wrong" -eq 0 ]
	[ "$compared" -gt 0 ]
}

# Waits for the supervisors that were started with MARK=$1 in their environment
# to be gone; fails when they stay.
supervisors_gone() {
	eventually no_supervisors "$1"
}

no_supervisors() {
	[ -z "$(supervisors "$1")" ]
}

# supervisors MARK: their process ids. A supervisor is one whose name is still
# that of jitmend-deny.
supervisors() {
	local folder name

	for folder in /proc/[0-9]*; do
		read -r name <"$folder/comm" || continue
		[ "$name" = jitmend-deny ] || continue
		grep -qs "MARK=$1" "$folder/environ" && echo "${folder#/proc/}"
	done 2>/dev/null
	return 0
}

# --------------------------------------------------------------- the policies

@test "--execheap: the verdicts" {
	verdicts --execheap <<-'EOF'
		anon-rwx ok
		anon-rw-rx ok
		malloc-rwx EACCES
		brk-rx EACCES
		brk-rwx EACCES
		brk-replaced-rx EACCES
		brk-moved-rx ok
		brk-mapped-rwx ok
		brk-memfd-rx ok
		brk-memfd-rwx ok
		brk-memfd-rw-rx EACCES
		devzero-written-rx ok
		file-written-rx ok
		stack-rwx ok
		memfd-private-rw-rx ok
		shmat-exec ok
		text-rx ok
		anon-hole-rx ENOMEM
	EOF
}

@test "--execheap --execmod --execstack: the verdicts" {
	verdicts --execheap --execmod --execstack <<-'EOF'
		anon-rwx ok
		anon-rw-rx ok
		brk-rx EACCES
		brk-replaced-rx EACCES
		brk-moved-rx ok
		brk-mapped-rwx ok
		brk-memfd-rx ok
		brk-memfd-rw-rx EACCES
		devzero-untouched-rx ok
		devzero-written-rx EACCES
		devzero-rwx ok
		file-rwx ok
		file-written-rx EACCES
		file-untouched-rx ok
		file-replaced-rx ok
		stack-rwx EACCES
		thread-stack-rwx EACCES
		memfd-dual ok
		memfd-shared-rwx ok
		memfd-shared-rw-rx ok
		memfd-private-rwx ok
		memfd-private-rw-rx EACCES
		text-rx ok
	EOF
}

@test "all four of SELinux: the verdicts" {
	verdicts "${SELINUX[@]}" <<-'EOF'
		anon-rwx EACCES
		anon-rx EACCES
		anon-rw-rx EACCES
		anon-pkey-rx EACCES
		anon-hole-rx EACCES
		shared-anon-rwx EACCES
		shared-anon-rw-rx EACCES
		brk-rx EACCES
		brk-moved-rx EACCES
		brk-mapped-rwx EACCES
		brk-memfd-rx ok
		brk-memfd-rwx ok
		brk-memfd-rw-rx EACCES
		devzero-untouched-rx ok
		devzero-written-rx EACCES
		devzero-rwx EACCES
		file-rwx EACCES
		file-written-rx EACCES
		file-replaced-rx EACCES
		file-shared-rx ok
		bad-fd-rwx EBADF
		stack-rwx EACCES
		memfd-dual ok
		memfd-shared-rwx ok
		memfd-shared-rw-rx ok
		memfd-private-rwx EACCES
		memfd-private-rx ok
		memfd-private-rw-rx EACCES
		memfd-flip ok
		shmat-exec EACCES
		shmat-rw-rx EACCES
		text-rx ok
	EOF
}

@test "one permission alone refuses nothing else" {
	verdicts --execmod <<-'EOF'
		brk-rwx ok
		devzero-written-rx EACCES
		stack-rwx ok
		anon-rwx ok
		anon-hole-rx ENOMEM
	EOF
	verdicts --execstack <<-'EOF'
		brk-rwx ok
		file-written-rx ok
		stack-rwx EACCES
		anon-rwx ok
	EOF
	verdicts --execmem <<-'EOF'
		brk-rwx EACCES
		file-written-rx ok
		stack-rwx EACCES
		anon-rwx EACCES
	EOF
}

@test "--mdwe: the verdicts" {
	verdicts --mdwe <<-'EOF'
		anon-rwx EACCES
		anon-rx ok
		anon-rw-rx EACCES
		brk-rx EACCES
		brk-moved-rx EACCES
		brk-memfd-rx ok
		brk-memfd-rwx EACCES
		devzero-untouched-rx EACCES
		memfd-dual ok
		memfd-shared-rwx EACCES
		memfd-flip ok
		shmat-exec EACCES
		text-rx ok
	EOF
}

# As with systemd, ipc(2) is not looked into, by which i386's libc does it.
seccomp_shmat() {
	if is_of_32_bits; then echo ok; else echo EPERM; fi
}

@test "--seccomp: the verdicts" {
	verdicts --seccomp <<-EOF
		anon-rwx EPERM
		anon-rx ok
		anon-rw-rx EPERM
		anon-pkey-rx EPERM
		brk-rx EPERM
		brk-memfd-rx ok
		brk-memfd-rwx EPERM
		devzero-untouched-rx EPERM
		memfd-dual ok
		memfd-shared-rwx EPERM
		memfd-flip ok
		shmat-exec $(seccomp_shmat)
		bad-fd-rwx EPERM
		text-rx EPERM
	EOF
}

@test "--seccomp with --verbose: the same verdicts, said" {
	verdicts --seccomp --verbose <<-EOF
		anon-rwx EPERM
		anon-rx ok
		anon-rw-rx EPERM
		brk-memfd-rx ok
		shmat-exec $(seccomp_shmat)
		bad-fd-rwx EPERM
		text-rx EPERM
	EOF
	says denied 'jitmend: seccomp:  denied  { write-exec }'
	says denied 'call=mprotect'
}

@test "--noexec-dev: the verdicts" {
	verdicts --noexec-dev <<-'EOF'
		devzero-rwx EPERM
		devzero-written-rx EACCES
		devzero-untouched-rx EACCES
		anon-rwx ok
		brk-rwx ok
		file-written-rx ok
	EOF
}

@test "calls through syscall(), and by the instruction, are refused as well" {
	require_deny "${SELINUX[@]}"
	for way in --syscall --raw; do
		run_as denied "$DENY" "${SELINUX[@]}" -- "$ASK" "$way" --fork \
			anon-rwx anon-rw-rx brk-rx devzero-written-rx
		show denied
		[ "$(grep -c ': EACCES$' "$BATS_TEST_TMPDIR/denied.out")" -eq 4 ]
	done
}

@test "READ_IMPLIES_EXEC: seen where it is asked for" {
	local policy=("${SELINUX[@]}")

	require_deny --execmem
	run_as native "$ASK" rie-anon-rw rie-brk-r
	grep -q unavailable "$BATS_TEST_TMPDIR/native.out" && skip "personality is refused here"
	verdicts "${policy[@]}" --read-implies-exec <<-'EOF'
		rie-anon-rw EACCES
		rie-brk-r EACCES
		anon-rwx EACCES
		memfd-dual ok
	EOF
	# Those of 32 bits are watched so in any case.
	if ! is_of_32_bits; then
		run_as told "$DENY" --execmem --verbose -- "$ASK" rie-anon-rw
		says told '--read-implies-exec'
	fi
}

@test "32-bit programs: the same verdicts" {
	printf 'int main(void) { return 0; }\n' >"$BATS_TEST_TMPDIR/empty.c"
	${CC:-cc} -m32 -o "$BATS_TEST_TMPDIR/empty" "$BATS_TEST_TMPDIR/empty.c" 2>/dev/null &&
		"$BATS_TEST_TMPDIR/empty" || skip "no 32-bit programs can be made and run here"
	ask32=$BATS_TEST_TMPDIR/ask32
	# shellcheck disable=SC2154 # common.bash sees to it
	${CC:-cc} -m32 -pthread -o "$ask32" "$top_srcdir/tests/hosts/ask.c"
	verdicts "${SELINUX[@]}" <<-'EOF'
		anon-rwx EACCES
		brk-rx EACCES
		devzero-written-rx EACCES
		devzero-untouched-rx ok
		stack-rwx EACCES
		memfd-dual ok
		memfd-shared-rw-rx ok
		shmat-exec EACCES
		text-rx ok
		rie-anon-rw EACCES
	EOF
	verdicts --seccomp <<-'EOF'
		anon-rwx EPERM
		anon-rx ok
		text-rx EPERM
	EOF
}

@test "tcc -run fails under --execheap as its users know it" {
	require_program tcc
	require_deny --execheap
	run_as denied "$DENY" --execheap -- tcc -run "$DATA/tcc-hello.c"
	show denied
	failed denied
	says denied 'did you mean to configure --with-selinux'
}

@test "programs that make no code notice nothing" {
	local program

	require_program bash ls
	require_deny "${SELINUX[@]}"
	echo 'int main(void) { return 7; }' >"$BATS_TEST_TMPDIR/seven.c"
	for program in "ls -l /etc" "bash -c 'for i in 1 2 3; do (exit \$i) | cat; done; exit 5'" \
		"sh -c 'kill -USR1 \$\$'" \
		"cc -o $BATS_TEST_TMPDIR/seven $BATS_TEST_TMPDIR/seven.c && $BATS_TEST_TMPDIR/seven" \
		"python3 -c 'import json, threading; print(json.dumps([1, 2]))'"; do
		run_as native sh -c "$program"
		run_as denied "$DENY" "${SELINUX[@]}" -- sh -c "$program"
		same_outcome native denied
		cmp "$BATS_TEST_TMPDIR/native.err" "$BATS_TEST_TMPDIR/denied.err"
	done
}

# ----------------------------------------------------------------- --verbose

@test "--verbose: one line a refusal, as an audit log has it" {
	require_deny "${SELINUX[@]}"
	run_as denied "$DENY" "${SELINUX[@]}" --verbose -- \
		"$ASK" brk-rx stack-rwx devzero-written-rx anon-rwx memfd-dual
	show denied
	[ "$(wc -l <"$BATS_TEST_TMPDIR/denied.err")" -eq 4 ]
	grep -Eq '^jitmend: avc:  denied  \{ execheap \} for  pid=[0-9]+ comm="ask" call=mprotect address=0x[0-9a-f]+ length=4096 prot=r-x area=0x[0-9a-f]+-0x[0-9a-f]+,rw- path="\[heap\]" tclass=process errno=EACCES$' "$BATS_TEST_TMPDIR/denied.err"
	says denied '{ execstack }'
	says denied '{ execmod }'
	says denied 'path="/dev/zero" tclass=chr_file'
	says denied '{ execmem } for'
	says denied 'call=mmap address=0x0 length=4096 prot=rwx tclass=process'
}

@test "--verbose: what the kernel refuses by itself is said too" {
	require_deny --mdwe --noexec-dev --verbose
	run_as denied "$DENY" --mdwe --verbose -- "$ASK" anon-rwx anon-rw-rx memfd-dual
	show denied
	[ "$(wc -l <"$BATS_TEST_TMPDIR/denied.err")" -eq 2 ]
	says denied 'jitmend: mdwe:  denied  { write-exec }'
	says denied 'jitmend: mdwe:  denied  { gain-exec }'
	run_as denied "$DENY" --noexec-dev --verbose -- "$ASK" devzero-rwx anon-rwx
	show denied
	[ "$(wc -l <"$BATS_TEST_TMPDIR/denied.err")" -eq 1 ]
	says denied 'jitmend: noexec-dev:  denied  { execute }'
}

@test "--verbose: a name cannot forge a line" {
	local evil=$BATS_TEST_TMPDIR/$'a\nb"c'

	require_deny --execmem
	cp "$ASK" "$evil"
	run_as denied "$DENY" --execmem --verbose -- "$evil" anon-rwx
	show denied
	[ "$(wc -l <"$BATS_TEST_TMPDIR/denied.err")" -eq 1 ]
}

@test "--verbose: a reader that does not read stops nobody" {
	require_program timeout mkfifo
	require_deny --execmem
	mkfifo "$BATS_TEST_TMPDIR/full"
	# Held open, never read; filled before the program begins.
	exec 9<>"$BATS_TEST_TMPDIR/full"
	timeout 1 dd if=/dev/zero bs=4096 count=64 >&9 2>/dev/null || true
	# shellcheck disable=SC2016 # for the inner shell
	run_as denied sh -c 'exec timeout "$0" "$@" 2>&9 9>&-' "$PATIENCE" \
		"$DENY" --execmem --verbose -- "$ASK" anon-rwx anon-rwx anon-rwx
	exec 9>&-
	show denied
	[ "$(cat "$BATS_TEST_TMPDIR/denied.out")" = "$(printf 'anon-rwx: EACCES\n%.0s' 1 2 3)" ]
}

# ------------------------------------------------------------ the process's life

@test "same process id, parent and session as if run alone" {
	local program=$BATS_TEST_TMPDIR/who

	require_deny "${SELINUX[@]}"
	cat >"$program" <<-'EOF'
		#!/bin/sh
		[ "$$" -eq "$1" ] && echo same
		cut -d ' ' -f 5,6,7,8 /proc/$$/stat
		grep PPid /proc/$$/status
	EOF
	chmod +x "$program"
	# shellcheck disable=SC2016 # for the inner shell
	run_as denied sh -c 'cut -d " " -f 5,6,7,8 /proc/$$/stat; grep PPid /proc/$$/status
		exec "$@"' sh sh -c 'exec "$0" --execheap --execmem -- "$1" $$' "$DENY" "$program"
	show denied
	[ "$(sed -n 3p "$BATS_TEST_TMPDIR/denied.out")" = same ]
	[ "$(sed -n 1,2p "$BATS_TEST_TMPDIR/denied.out")" = \
		"$(sed -n 4,5p "$BATS_TEST_TMPDIR/denied.out")" ]
}

@test "exit status and signals are the program's" {
	local status

	require_deny "${SELINUX[@]}"
	# shellcheck disable=SC2016 # for the inner shells
	for status in 0 1 42 125 255; do
		run_as native sh -c 'exit "$1"' sh "$status"
		run_as denied "$DENY" "${SELINUX[@]}" -- sh -c 'exit "$1"' sh "$status"
		same_outcome native denied
	done
	# shellcheck disable=SC2016 # for the inner shells
	for status in TERM KILL SEGV USR1; do
		run_as native sh -c 'kill -"$1" $$' sh "$status"
		run_as denied "$DENY" "${SELINUX[@]}" -- sh -c 'kill -"$1" $$' sh "$status"
		same_outcome native denied
	done
}

wait_says_no_child='
import os
for flags in 0, 0x40000000, -0x80000000: # none, __WALL, __WCLONE
    try:
        print(os.waitpid(-1, flags))
    except ChildProcessError:
        print("no child")
'

@test "the program's wait never sees the supervisor" {
	require_program python3
	require_deny --execheap
	run_as denied "$DENY" --execheap -- python3 -c "$wait_says_no_child"
	show denied
	[ "$(grep -c 'no child' "$BATS_TEST_TMPDIR/denied.out")" -eq 3 ]
}

@test "nor does a program that inherits being a subreaper" {
	require_program python3
	require_deny --execheap
	run_as denied python3 -c '
import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
' "$DENY" --execheap -- python3 -c "$wait_says_no_child
import ctypes
flag = ctypes.c_int()
ctypes.CDLL(None).prctl(37, ctypes.byref(flag), 0, 0, 0)
print('subreaper', flag.value)"
	show denied
	[ "$(grep -c 'no child' "$BATS_TEST_TMPDIR/denied.out")" -eq 3 ]
	grep -qx 'subreaper 1' "$BATS_TEST_TMPDIR/denied.out"
}

@test "the first process of a pid namespace does not wait for the supervisor" {
	require_program unshare python3
	unshare -pf --mount-proc true 2>/dev/null || skip "no pid namespace can be made here"
	require_deny --execheap
	run_as denied unshare -pf --mount-proc "$DENY" --execheap -- python3 -c '
import os, subprocess, sys
try:
    print(os.waitpid(-1, 0))
except ChildProcessError:
    print("no child", os.getpid())
subprocess.call([sys.argv[1], "brk-rx"])
' "$ASK"
	show denied
	grep -qx 'no child 1' "$BATS_TEST_TMPDIR/denied.out"
	grep -qx 'brk-rx: EACCES' "$BATS_TEST_TMPDIR/denied.out"
}

@test "a SIGCHLD blocked by the caller is not left pending" {
	require_program python3
	require_deny --execheap
	run_as denied python3 -c '
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
os.execv(sys.argv[1], sys.argv[1:])
' "$DENY" --execheap -- grep -E '^(Sig|Shd)(Pnd|Blk|Ign|Cgt)' /proc/self/status
	show denied
	grep -Eq '^SigPnd:.0+$' "$BATS_TEST_TMPDIR/denied.out"
	grep -Eq '^ShdPnd:.0+$' "$BATS_TEST_TMPDIR/denied.out"
	grep -Eq '^SigBlk:.0+10000$' "$BATS_TEST_TMPDIR/denied.out"
}

@test "signal mask, dispositions and descriptors are as without us" {
	local look="grep -E '^(Sig(Pnd|Blk|Ign|Cgt)|ShdPnd|NoNewPrivs)' /proc/self/status; ls /proc/self/fd"

	require_deny "${SELINUX[@]}" --verbose
	# A user who may not supervise otherwise gets no_new_privs; root does not.
	[ "$(id -u)" -eq 0 ] || look=${look/|NoNewPrivs/}
	# shellcheck disable=SC2016 # for the inner shell
	run_as native sh -c 'trap "" INT USR2; exec sh -c "$1"' sh "$look"
	run_as denied sh -c 'trap "" INT USR2; exec "$@"' sh \
		"$DENY" "${SELINUX[@]}" --verbose -- sh -c "$look"
	same_outcome native denied
}

@test "descriptors that the caller closed stay closed" {
	require_deny "${SELINUX[@]}"
	# shellcheck disable=SC2016 # for the inner shells
	run_as native sh -c 'exec "$@" <&- 2>&-' sh sh -c 'ls /proc/$$/fd'
	# shellcheck disable=SC2016 # for the inner shells
	run_as denied sh -c 'exec "$@" <&- 2>&-' sh \
		"$DENY" "${SELINUX[@]}" --verbose -- sh -c 'ls /proc/$$/fd'
	same_outcome native denied
}

@test "a pipe ends with the program, though a descendant lives on" {
	local mark=$BATS_TEST_TMPDIR/pipe supervisor

	require_program timeout
	require_deny --execheap
	# shellcheck disable=SC2016 # for the inner shell
	MARK=$mark run timeout "$PATIENCE" sh -c '"$@" 2>&1 | cat' sh \
		"$DENY" --execheap -- sh -c 'sleep 1000 >/dev/null 2>&1 & echo $!' 3>&-
	echo "$output"
	supervisor=$(supervisors "$mark")
	kill "$output"
	[ "$status" -eq 0 ]
	# Not before the last descendant is gone.
	[ -n "$supervisor" ]
	supervisors_gone "$mark"
}

@test "the supervisor bears none of the program's words" {
	local mark=$BATS_TEST_TMPDIR/words process

	require_deny --execheap
	MARK=$mark "$DENY" --execheap -- sleep 1061.25 3>&- &
	program=$!
	begun() {
		process=$(supervisors "$mark" | grep -vx "$program") && [ -n "$process" ] &&
			[ "$(cat "/proc/$program/comm")" = sleep ]
	}
	eventually begun
	run grep -c 1061.25 "/proc/$process/cmdline"
	kill "$program"
	[ "$output" -eq 0 ]
	supervisors_gone "$mark"
}

@test "children are denied too, and stay so when the program has ended" {
	require_deny --execheap
	# shellcheck disable=SC2016 # for the inner shell
	run_as denied "$DENY" --execheap -- sh -c \
		'(while kill -0 $$ 2>/dev/null; do sleep 0.05; done; "$0" brk-rx) & exec true' "$ASK"
	eventually grep -q brk-rx "$BATS_TEST_TMPDIR/denied.out"
	show denied
	grep -qx 'brk-rx: EACCES' "$BATS_TEST_TMPDIR/denied.out"
}

@test "many threads and processes ask at once, interrupted by signals" {
	require_program timeout
	require_deny --execmem
	run_as native "$HOSTS/storm"
	run_as denied timeout "$PATIENCE" "$DENY" --execmem -- "$HOSTS/storm"
	run_as allowed timeout "$PATIENCE" "$DENY" --execheap -- "$HOSTS/storm"
	show native denied allowed
	same_outcome native allowed
	sed 's/^ok /EACCES /' "$BATS_TEST_TMPDIR/native.out" | cmp - "$BATS_TEST_TMPDIR/denied.out"
}

@test "killed while it asks: the supervisor goes too" {
	local mark=$BATS_TEST_TMPDIR/killed program

	require_program setsid
	require_deny --execmem
	MARK=$mark setsid "$DENY" --execheap -- "$HOSTS/storm" forever \
		>"$BATS_TEST_TMPDIR/out" 3>&- &
	program=$!
	eventually grep -q begun "$BATS_TEST_TMPDIR/out"
	[ -n "$(supervisors "$mark")" ]
	kill -KILL -- "-$program"
	supervisors_gone "$mark"
}

@test "an ordinary user may deny, without privileges" {
	require_program setpriv
	[ "$(id -u)" -eq 0 ] || skip "this is what the other tests do already"
	local user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	"${user[@]}" "$ASK" text-rx >/dev/null 2>&1 || skip "another user cannot reach the build"
	run_as denied "${user[@]}" "$DENY" "${SELINUX[@]}" -- "$ASK" --fork \
		brk-rx anon-rwx stack-rwx devzero-written-rx
	show denied
	[ "$(grep -c ': EACCES$' "$BATS_TEST_TMPDIR/denied.out")" -eq 4 ]
	"${user[@]}" unshare -Um true 2>/dev/null || skip "users may make no user namespace here"
	run_as denied "${user[@]}" "$DENY" --noexec-dev --execheap -- "$ASK" \
		devzero-rwx brk-rx anon-rwx
	show denied
	[ "$(cat "$BATS_TEST_TMPDIR/denied.out")" = \
		"$(printf 'devzero-rwx: EPERM\nbrk-rx: EACCES\nanon-rwx: ok')" ]
	run_as denied "${user[@]}" "$DENY" --noexec-dev -- id -u
	[ "$(cat "$BATS_TEST_TMPDIR/denied.out")" = 65534 ]
}

@test "the mounts outside are as before" {
	require_deny --noexec-dev
	grep ' /dev ' /proc/self/mountinfo >"$BATS_TEST_TMPDIR/before" || true
	run_as denied "$DENY" --noexec-dev -- grep ' /dev ' /proc/self/mountinfo
	grep -q noexec "$BATS_TEST_TMPDIR/denied.out"
	grep ' /dev ' /proc/self/mountinfo >"$BATS_TEST_TMPDIR/after" || true
	cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

# ----------------------------------------------------------- what cannot be had

# refused STATUS TEXT COMMAND...: it ends so, with one line that has TEXT.
refused() {
	local wanted=$1 text=$2

	shift 2
	run_as refused "$@"
	show refused
	[ "$(cat "$BATS_TEST_TMPDIR/refused.status")" -eq "$wanted" ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/refused.err")" -eq 1 ]
	[ ! -s "$BATS_TEST_TMPDIR/refused.out" ]
	grep -q '^jitmend: ' "$BATS_TEST_TMPDIR/refused.err"
	says refused "$text"
}

@test "bad usage: one line that names it, 125" {
	refused 125 "no policy" "$DENY"
	refused 125 "no policy" "$DENY" true
	refused 125 "no policy" "$DENY" --verbose true
	refused 125 "no policy" "$DENY" -- true
	refused 125 "'--execheep'" "$DENY" --execheep true
	refused 125 "'--two\\012lines'" "$DENY" $'--two\nlines' true
	refused 125 "'-x'" "$DENY" --execheap -x true
	refused 125 "no program" "$DENY" --execheap
	refused 125 "no program" "$DENY" --execheap --
}

@test "options end at the program's name" {
	require_deny --execheap
	run_as denied "$DENY" --execheap -- echo --mdwe --nonsense
	[ "$(cat "$BATS_TEST_TMPDIR/denied.out")" = "--mdwe --nonsense" ]
	run_as denied "$DENY" --execheap echo --mdwe -- --nonsense
	[ "$(cat "$BATS_TEST_TMPDIR/denied.out")" = "--mdwe -- --nonsense" ]
}

@test "--help goes to standard output" {
	run_as help "$DENY" --help
	show help
	[ "$(cat "$BATS_TEST_TMPDIR/help.status")" -eq 0 ]
	[ ! -s "$BATS_TEST_TMPDIR/help.err" ]
	grep -q -- --noexec-dev "$BATS_TEST_TMPDIR/help.out"
}

@test "a program that is not there, 127, or not executable, 126" {
	local mark=$BATS_TEST_TMPDIR/not

	require_deny --execheap
	export MARK=$mark
	refused 127 /nonexistent/program "$DENY" --execheap -- /nonexistent/program
	# A folder of PATH that may not be searched makes it 126, as env(1) has it.
	PATH=/usr/bin:/bin refused 127 no-such-program-anywhere \
		"$DENY" --execheap no-such-program-anywhere
	: >"$BATS_TEST_TMPDIR/plain"
	refused 126 "$BATS_TEST_TMPDIR/plain" "$DENY" --execheap -- "$BATS_TEST_TMPDIR/plain"
	refused 126 "$BATS_TEST_TMPDIR" "$DENY" --execheap -- "$BATS_TEST_TMPDIR"
	supervisors_gone "$mark"
}

@test "a deny within a deny: 125, and why" {
	require_deny --execheap
	refused 125 "supervisor already" "$DENY" --execheap -- "$DENY" --execmod -- true
}

@test "policies of the kernel's own may be nested" {
	require_deny --execheap --mdwe
	run_as denied "$DENY" --execheap -- "$DENY" --mdwe --seccomp -- "$ASK" anon-rwx brk-rx
	show denied
	[ "$(cat "$BATS_TEST_TMPDIR/denied.out")" = \
		"$(printf 'anon-rwx: EPERM\nbrk-rx: EPERM')" ]
}

@test "--noexec-dev where no namespace can be made: 125, and why" {
	require_program unshare setpriv
	# shellcheck disable=SC2016 # for the inner shell
	local no_more='echo 0 >/proc/sys/user/max_user_namespaces
		exec setpriv --bounding-set -sys_admin "$@"'

	unshare -Ur sh -c "$no_more" sh true 2>/dev/null || skip "no user namespace to forbid it in"
	refused 125 "--noexec-dev" unshare -Ur sh -c "$no_more" sh "$DENY" --noexec-dev -- true
}
