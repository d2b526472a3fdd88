#!/usr/bin/env bats
# journal.bats: the journal: nothing of it is lost, and nothing of the host is
# broken by it. What the lines must be like is journal-check's to say: it reads
# every file that a test leaves behind (common.bash).

# What is in single quotes is for other shells; common.bash has the rest.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

load common
load alike

ASK=$HOSTS/journal-ask
STACKS=$HOSTS/journal-stacks
CHECK=$top_builddir/tests/journal-check

setup() {
	alike_setup
	LOG=$BATS_TEST_TMPDIR/log
	export HOST_LOG=$LOG
}

teardown() {
	local job

	for job in $(jobs -p); do
		kill "$job" || true
	done 2>/dev/null
	journals_are_right
}

# journal COMMAND...: runs it with the library and one log for all of it.
journal() {
	env LD_PRELOAD="$PRELOAD" JITMEND_POLICY="$POLICY" JITMEND_LOG="$LOG" "$@"
}

# same PART...: journal-ask does the same with a journal as without.
same() {
	echo "stands in for the log" >log
	run_as native "$ASK" "$@"
	rm -f log log.[0-9]*
	run_as mended journal "$ASK" "$@"
	same_outcome native mended
	[ "$(cat native.status)" -ne 99 ]
}

require_check() {
	[ -x "$CHECK" ] || skip "built without jansson: nobody reads the journal"
}

# counted N FILE...: as many requests as the journal of the whole says.
counted() {
	local wanted=$1 seen

	shift
	seen=$("$CHECK" --counts "$@" | awk '{ sum += $5 } END { print sum + 0 }')
	echo "counted $seen, made $wanted"
	[ "$seen" -eq "$wanted" ]
}

# lines KIND FILE...: how many of that kind.
lines() {
	local kind=$1

	shift
	cat "$@" | grep -c "\"event\":\"$kind\"" || true
}

# field NAME: from lines on standard input, a value that is a string or a number.
field() {
	sed -n 's/.*"'"$1"'":"\{0,1\}\([^",}]*\).*/\1/p'
}

# --------------------------------------------------------------- the checker

# wrong TEXT: journal-check says that of the line on standard input.
wrong() {
	local status=0

	cat >wrong.input
	"$CHECK" wrong.input >wrong.out 2>wrong.err || status=$?
	echo "'$1' is wanted, status $status: $(cat wrong.err)"
	rm wrong.input
	[ "$status" -eq 1 ] && [ "$(wc -l <wrong.err)" -eq 1 ] && grep -qF -e "$1" wrong.err
}

# policy_from: what the first line of log says.
policy_from() {
	sed -n '1s/.*"policy_from":"\([a-z]*\)".*/\1/p' log
}

@test "the first line says how the policy is known" {
	local run=("$JITMEND" run --log=log)

	"${run[@]}" true
	[ "$(policy_from)" = requests ]
	rm log
	"${run[@]}" --policy=mdwe true
	[ "$(policy_from)" = settings ]
	rm log
	require_deny --mdwe --seccomp
	"$JITMEND" deny --mdwe -- "${run[@]}" true
	[ "$(policy_from)" = prctl ]
	sed 's/"mdwe":true/"mdwe":false/' log | wrong 'policy_from contradicts mdwe'
	sed 's/"policy_from":"prctl"/"policy_from":"settings"/' log | wrong 'contradicts policy'
	rm log
	"$JITMEND" deny --seccomp -- "${run[@]}" true
	[ "$(policy_from)" = filter ]
	rm log
	"$JITMEND" deny --mdwe -- "${run[@]}" --audit true
	[ "$(policy_from)" = requests ]
}

@test "the checker finds what is wrong" {
	require_check
	journal "$ASK" repeat
	[ -z "$("$CHECK" log 2>&1)" ]
	sed 's/"v":1/"v":2/' log | wrong 'wrong.input:1: v is not 1'
	sed '2s/"call":"mprotect",//' log | wrong 'wrong.input:2: call is missing'
	sed '2s/"danger":"[a-z]*"/"danger":"other"/' log | wrong ':2: danger has a value'
	sed '2s/"length":4096/"length":"4096"/' log | wrong ':2: length has'
	sed '2s/"offset":"0x/"offset":"0X/' log | wrong 'frame 0: offset has'
	sed '2s/"site":/"extra":1,"site":/' log | wrong "unknown field 'extra'"
	sed '2s/"site":/"site":1,"site":/' log | wrong 'no JSON: duplicate'
	sed '2s/"answer":"expected"/"answer":"refused"/' log | wrong 'errno is missing'
	sed '2s/"done":"moved"/"done":"passed-on"/' log | wrong 'does not go with'
	sed '1s/"mode":"mend"/"mode":"audit"/' log | wrong 'in audit mode'
	sed '1s/"policy":\["[a-z]*"/"policy":["other"/' log | wrong 'policy has'
	sed 1d log | wrong 'has no start line'
	sed 2d log | wrong 'counted without a request'
	sed '4s/"count":100/"count":10/' log | wrong 'went from 10 to 10'
	sed 2p log | wrong 'has its request twice'
	sed '3s/"pid":[0-9]*/"pid":0/' log | wrong ':3: pid has'
	sed '3s/"time":/"time":1/' log | wrong ':3: time has'
	echo '[]' | wrong 'no object'
	echo | wrong 'no JSON'
	printf '{"v":1,\0}\n' | wrong 'no JSON'
	printf '{"v":1}' | wrong 'newline'
	printf '%0100000d\n' 0 | tr 0 '[' | wrong 'no JSON'
}

@test "the checker is not brought down by what it reads" {
	require_check
	local size status

	journal "$ASK" forked
	# Cut anywhere, and with bytes changed in places that follow from nothing.
	for size in $(seq 1 97 2500); do
		head -c "$size" log >spoilt
		status=0
		"$CHECK" spoilt 2>message || status=$?
		[ "$status" -le 1 ]
		cp log spoilt
		printf '\377' | dd of=spoilt bs=1 seek="$size" conv=notrunc status=none
		status=0
		"$CHECK" spoilt 2>message || status=$?
		[ "$status" -eq 1 ]
	done
	rm spoilt
	head -c 100000 /dev/urandom >noise
	status=0
	"$CHECK" noise 2>message || status=$?
	[ "$status" -eq 1 ]
	status=0
	"$CHECK" none . 2>message || status=$?
	[ "$status" -eq 1 ]
	[ "$(wc -l <message)" -eq 2 ]
}

# -------------------------------------------------------------- sites, counts

@test "the same site is written once and counted" {
	same repeat
	show_log
	[ "$(lines request log)" -eq 1 ]
	[ "$(grep '"event":"count"' log | field count | tr '\n' ' ')" = "10 100 1000 " ]
	require_check
	counted 1000 log
}

@test "counts at the end, however it comes" {
	require_check
	local end failed=0

	for end in exit _exit _Exit quick_exit syscall abort segv raise in-thread thread \
		execv execlp fexecve; do
		same "$end" && counted 25 log && [ "$(lines request log)" -eq 1 ] || failed=1
	done
	[ "$failed" -eq 0 ]
}

@test "what kills at once leaves the counts written so far" {
	require_check
	local end

	for end in term trap; do
		same "$end"
		[ "$(grep '"event":"count"' log | field count | head -n 1)" -eq 10 ]
	done
}

@test "an exec that fails, vfork and posix_spawn are no end" {
	require_check
	same not-the-end
	show_log
	[ "$(lines request log)" -eq 1 ]
	counted 25 log
}

@test "%p: each process has a file of its own" {
	require_check
	run_as native "$ASK" forked
	run_as mended with_library "$ASK" forked
	same_outcome native mended
	local file files=(log.*)

	[ "${#files[@]}" -eq 2 ]
	for file in "${files[@]}"; do
		cat "$file"
		[ "$(field pid <"$file" | sort -u)" = "${file#log.}" ]
		[ "$(lines start "$file")" -eq 1 ]
	done
	# 5 in the child, 3 + 4 here.
	[ "$("$CHECK" --counts log.* | awk '{ print $5 }' | sort | tr '\n' ' ')" = "5 7 " ]
}

@test "one file for parent and child" {
	require_check
	same forked
	show_log
	[ "$(lines start log)" -eq 2 ]
	counted 12 log
}

@test "a hundred threads and children write at once: every line whole, none lost" {
	require_check
	local i

	run_as native "$ASK" storm
	for i in 1 2 3; do
		run_as "mended$i" journal "$ASK" storm &
	done
	wait
	for i in 1 2 3; do
		same_outcome native "mended$i"
	done
	"$CHECK" log
	[ "$(lines lost log)" -eq 0 ]
	[ "$(lines start log)" -eq 27 ]
	counted $((3 * (100 * 20 + 8 * 20))) log
}

# -------------------------------------------------- what is written to, and on

@test "descriptors closed: the file is found again" {
	same closed
	show_log
	[ "$(lines request log)" -eq 3 ]
}

@test "descriptors reused: nothing of ours in the host's file, and loss is said" {
	same reused
	show_log
	[ "$(grep -c 'our file has 0 bytes' mended.out)" -eq 2 ]
	[ "$(grep '"event":"lost"' log | field lines)" -eq 3 ]
	grep -q '"message":"3 lines before this could not be written"' log
}

@test "the file rotated away is made anew" {
	same rotated
	show_log
	[ -s log ]
	[ -s log.1 ]
	[ -s log.2 ]
	[ "$(lines request log log.1 log.2)" -eq 3 ]
	# Each can be read without the one before.
	[ "$(head -n 1 log | lines start)" -eq 1 ]
	[ "$(head -n 1 log.2 | lines start)" -eq 1 ]
	grep -q '"continues":true' log
	[ "$(grep -c '"continues"' log.1)" -eq 0 ]
}

@test "the file removed is made anew" {
	same removed
	show_log
	[ "$(lines request log)" -eq 1 ]
	[ "$(head -n 1 log | lines start)" -eq 1 ]
}

@test "RLIMIT_FSIZE: no signal, whole lines, and loss is said" {
	same file-size
	show_log
	[ "$(cat mended.status)" -eq 0 ]
	[ "$(grep '"event":"lost"' log | field lines)" -eq 2 ]
	[ "$(lines request log)" -eq 2 ]
}

@test "RLIMIT_NOFILE low" {
	run_as native bash -c 'ulimit -n 6; exec "$@"' bash "$ASK" repeat
	run_as mended journal bash -c 'ulimit -n 6; exec "$@"' bash "$ASK" repeat
	same_outcome native mended
	grep '"comm":"journal-ask"' log | grep '"count":1000'
	rm log
	# Not one is left for the log.
	run_as native bash -c 'ulimit -n 3; exec "$@"' bash /bin/true
	run_as mended journal bash -c 'ulimit -n 3; exec "$@"' bash /bin/true
	same_outcome native mended
}

# in_mounts SCRIPT COMMAND...: runs it in a mount namespace made ready by SCRIPT.
in_mounts() {
	local script=$1

	shift
	unshare -m sh -ec "$script"'; exec "$@"' sh "$@"
}

require_mounts() {
	require_program unshare mount
	unshare -m mount -t tmpfs none /mnt 2>message || skip "no mounts here: $(head -n 1 message)"
}

@test "a full disk: the host goes on, and loss is said" {
	require_mounts
	mkdir small
	LOG=$PWD/small/log
	export HOST_FILL=$PWD/small/fill
	local mount='mount -t tmpfs -o size=64k none small'

	run_as native in_mounts "$mount" "$ASK" full
	run_as mended in_mounts "$mount" sh -c '"$@"; status=$?; cp small/log kept; exit $status' sh \
		env LD_PRELOAD="$PRELOAD" JITMEND_POLICY="$POLICY" JITMEND_LOG="$LOG" "$ASK" full
	same_outcome native mended
	[ "$(cat mended.status)" -eq 0 ]
	cat kept
	# Six sites while it was full; what there was room for at first was written.
	[ "$(grep '"event":"lost"' kept | field lines)" -ge 3 ]
	[ "$(($(lines request kept) + $(grep '"event":"lost"' kept | field lines)))" -eq 8 ]
}

@test "a FIFO whose reader went away" {
	require_program mkfifo timeout
	mkfifo log
	# The reader has it open before it is started, as late as that may be; and does not
	# meet the end before somebody has written.
	exec 7<>log 8>log 9<log 7<&-
	head -n 1 <&9 >first 8>&- 9<&- &
	exec 9<&-
	run_as native "$ASK" flood
	run_as mended journal "$ASK" flood 8>&-
	exec 8>&-
	same_outcome native mended
	wait
	[ "$(lines start first)" -eq 1 ]
	rm log
}

@test "a FIFO that is full: no waiting, whole lines, and loss is said" {
	require_program mkfifo timeout
	mkfifo log go
	# Nobody reads until all is asked for; then what there is.
	exec 8<>log 9<>go
	read_all() {
		dd if=log bs=65536 iflag=nonblock 2>/dev/null || true
	}
	(
		input=go
		run_as mended journal timeout "$PATIENCE" "$ASK" flood-and-wait 8<&- 9<&-
	) &
	eventually grep -qs flooded mended.out
	read_all >kept
	echo go >&9
	eventually [ -s mended.status ]
	read_all >>kept
	exec 8<&- 9<&-
	rm log go
	echo go >line
	input=line run_as native "$ASK" flood-and-wait
	same_outcome native mended
	[ "$(cat mended.status)" -eq 0 ]
	[ "$(lines lost kept)" -ge 1 ]
	[ "$(($(lines request kept) + $(grep '"event":"lost"' kept | field lines |
		awk '{ sum += $1 } END { print sum }')))" -ge 1501 ]
}

@test "standard error closed, or a pipe that nobody reads" {
	require_program mkfifo timeout
	run_as native "$ASK" flood
	run_as mended sh -c 'exec "$@" 2>&-' sh env LD_PRELOAD="$PRELOAD" \
		JITMEND_POLICY="$POLICY" "$ASK" flood
	same_outcome native mended
	mkfifo pipe
	exec 8<>pipe
	run_as mended timeout "$PATIENCE" sh -c 'exec "$@" 2>&8 8>&-' sh env LD_PRELOAD="$PRELOAD" \
		JITMEND_POLICY="$POLICY" "$ASK" flood
	exec 8<&-
	same_outcome native mended
	# One that broke.
	run_as mended bash -c '"$@" 2> >(exec true); exit $?' bash env LD_PRELOAD="$PRELOAD" \
		JITMEND_POLICY="$POLICY" "$ASK" flood
	same_outcome native mended
}

@test "standard error in words, as many lines as there are" {
	run_as mended env LD_PRELOAD="$PRELOAD" JITMEND_POLICY="$POLICY" "$ASK" repeat
	cat mended.err
	[ "$(wc -l <mended.err)" -eq 5 ]
	[ "$(grep -c '^jitmend: journal-ask\[[0-9]*\]: ' mended.err)" -eq 5 ]
}

@test "a host in a chroot still writes where it did" {
	same chroot
	if grep -q '^no chroot' native.out; then
		skip "chroot is not permitted"
	fi
	show_log
	[ "$(lines request log)" -eq 2 ]
	require_check
	counted 6 log
	[ -z "$(find root-* -type f)" ]
}

@test "a host in a sandbox of its own" {
	same sandbox
	if grep -q '^no seccomp' native.out; then
		skip "no seccomp filters here"
	fi
	[ "$(cat mended.status)" -eq 0 ]
	show_log
	[ "$(lines request log)" -eq 2 ]
	require_check
	counted 40 log
}

@test "a sandbox that kills: what jitmend calls is what is said of it" {
	same sandbox-or-die
	if grep -q '^no seccomp' native.out; then
		skip "no seccomp filters here"
	fi
	[ "$(cat mended.status)" -eq 0 ]
	require_check
	counted 40 log
}

@test "what a vfork child opens and cannot use is closed" {
	same open-in-vain
	! grep -q '^child: exit 2' native.out || skip "no seccomp filters here"
}

# ------------------------------------------------------- syslog and journald

# with_socket SOCKET SCRIPT LOG COMMAND...: runs it in a mount namespace that
# SCRIPT makes, with a stand-in that listens at SOCKET; what comes goes to
# received.
with_socket() {
	local socket=$1 script=$2 log=$3

	shift 3
	in_mounts "$script" bash -ec '
		socket=$1 program=$2
		shift 2
		python3 "$program" "$socket" received &
		until [ -S "$socket" ] || ! kill -0 $!; do
			sleep 0.05
		done
		[ -S "$socket" ] || exit 98
		status=0
		"$@" || status=$?
		python3 -c "
import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b\"end\", sys.argv[1])
" "$socket"
		wait
		exit $status' bash "$socket" "$top_srcdir/tests/hosts/journal-sockets.py" \
		env LD_PRELOAD="$PRELOAD" JITMEND_POLICY="$POLICY" JITMEND_LOG="$log" "$@"
}

RUN_SCRIPT='mount -t tmpfs none /run; mkdir -p /run/systemd/journal'

@test "journald: fields, and the line of the journal among them" {
	require_program python3
	require_mounts
	run_as native "$ASK" repeat
	run_as mended with_socket /run/systemd/journal/socket "$RUN_SCRIPT" journald: "$ASK" repeat
	same_outcome native mended
	cat received
	[ "$(grep -c -x -e -- received)" -eq 5 ]
	[ "$(grep -c '^MESSAGE=' received)" -eq 5 ]
	[ "$(grep -c -x 'SYSLOG_IDENTIFIER=jitmend' received)" -eq 5 ]
	[ "$(grep -c -x 'PRIORITY=5' received)" -eq 5 ]
	[ "$(grep -c -E '^MESSAGE_ID=[0-9a-f]{32}$' received)" -eq 5 ]
	grep -qx 'JITMEND_EVENT=start' received
	grep -qx 'JITMEND_EVENT=request' received
	grep -qx 'JITMEND_CALL=mprotect' received
	grep -qx 'JITMEND_DANGER=execheap' received
	grep -qx 'JITMEND_ANSWER=expected' received
	grep -qx 'JITMEND_DONE=moved' received
	grep -qx 'JITMEND_ORIGIN=posix_memalign' received
	grep -qx 'JITMEND_COUNT=1000' received
	grep -q "^JITMEND_STACK=$ASK+0x" received
	grep -q "^JITMEND_ORIGIN_STACK=$ASK+0x" received
	# Field names that systemd-journald takes.
	[ "$(grep -v -x -e -- received | grep -cvE '^[A-Z][A-Z0-9_]{0,63}=')" -eq 0 ]
	sed -n 's/^JITMEND_JSON=//p' received >log
	[ "$(wc -l <log)" -eq 5 ]
}

@test "journald: a stack of 64 frames" {
	require_program python3
	require_mounts
	run_as mended with_socket /run/systemd/journal/socket "$RUN_SCRIPT" journald: \
		env JITMEND_BACKTRACE=64 "$STACKS" deep
	[ "$(cat mended.status)" -eq 0 ]
	grep -c '^JITMEND_STACK=' received
	sed -n 's/^JITMEND_JSON=//p' received >log
	[ "$(lines request log)" -eq "$(grep -c '^JITMEND_EVENT=request' received)" ]
}

@test "syslog: a line each" {
	require_program python3
	require_mounts
	local script='mkdir dev
		mount --rbind /dev dev
		mount -t tmpfs none /dev
		for file in "$PWD"/dev/*; do
			[ "${file##*/}" = log ] || ln -s "$file" /dev
		done'

	run_as native "$ASK" repeat
	run_as mended with_socket /dev/log "$script" syslog: "$ASK" repeat
	same_outcome native mended
	cat received
	[ "$(grep -c -x -e -- received)" -eq 5 ]
	[ "$(grep -c '^<13>jitmend\[[0-9]*\]: journal-ask\[[0-9]*\]: ' received)" -eq 5 ]
	grep -q 'mprotect(.*): execheap refused by the policy, mended' received
	grep -q 'mprotect at .* was asked for 1000 times' received
}

@test "none: nothing is written, and no unwinder is loaded" {
	local what=(env LD_PRELOAD="$PRELOAD" JITMEND_POLICY="$POLICY" JITMEND_LOG=none:)

	run_as native "$ASK" repeat
	run_as mended "${what[@]}" "$ASK" repeat
	same_outcome native mended
	[ ! -s mended.err ] && [ ! -e none: ]
	run_as with_log env "${what[@]:1}" JITMEND_LOG="$LOG" LD_DEBUG=files "$ASK" repeat
	run_as without env "${what[@]:1}" LD_DEBUG=files "$ASK" repeat
	grep -q 'file=libunwind' with_log.err
	[ "$(grep -c 'file=libunwind' without.err)" -eq 0 ]
}

@test "no syslog, no journald: the host goes on" {
	require_mounts
	local log

	run_as native "$ASK" repeat
	for log in syslog: journald:; do
		run_as mended in_mounts 'mount -t tmpfs none /run; mount -t tmpfs none /dev' \
			env LD_PRELOAD="$PRELOAD" JITMEND_POLICY="$POLICY" JITMEND_LOG=$log \
			"$ASK" repeat
		same_outcome native mended
		[ "$(grep -c "cannot open the log $log" mended.err)" -eq 1 ]
		[ "$(wc -l <mended.err)" -eq 1 ]
	done
}

# ------------------------------------------------------------------- stacks

# frames FILE: the stack of each request, a line a frame: MODULE OFFSET, or
# "unknown" ADDRESS; after each stack an empty line.
frames() {
	grep '"event":"request"' "$1" | sed 's/"origin":.*//' | field_stacks
}

origins() {
	grep '"event":"request"' "$1" | sed -n 's/.*"origin"://p' | field_stacks
}

field_stacks() {
	sed 's/.*"stack":\[\([^]]*\)\].*/\1/; s/},{/\n/g; s/$/\n/' |
		sed 's/"build_id":"[^"]*",//
			s/{\{0,1\}"module":"\([^"]*\)","offset":"\([^"]*\)"}\{0,1\}/\1 \2/
			s/{\{0,1\}"unknown":"\([^"]*\)"}\{0,1\}/unknown \1/'
}

# functions: names instead of places, for the places of frames that lie in hosts.
functions() {
	local module offset

	while read -r module offset; do
		case $module in
		*journal-* | */cxx) addr2line -Cf -e "$module" "$(printf '%#x' $((offset - 1)))" | head -n 1 ;;
		'') echo ;;
		*) echo "${module##*/}" ;;
		esac
	done
}

# end_of FILE: the address that its last segment ends at.
end_of() {
	readelf -lW "$1" | awk '$1 == "LOAD" { print $3, $6 }' | while read -r address size; do
		echo $((address + size))
	done | sort -n | tail -n 1
}

# no_garbage FILE CODE: every frame lies in a file, and within it, or is called
# unknown; at CODE there is a page of generated code.
no_garbage() {
	local module offset

	frames "$1" >places
	cat places
	while read -r module offset; do
		case $module in
		'') ;;
		unknown) ;;
		/*)
			[ -f "$module" ]
			[ $((offset)) -lt "$(end_of "$module")" ]
			;;
		*) [[ $module = linux-@(vdso|gate).so.1 ]] ;;
		esac || return
	done <places
}

require_addr2line() {
	require_program addr2line readelf
	if grep -q '"unwinder":"none"' log; then
		skip "no unwinder is installed"
	fi
}

# stacks_of PART: natively and with a journal.
stacks_of() {
	run_as native "$STACKS" "$1"
	rm -f log
	run_as mended journal "$STACKS" "$1"
	same_outcome native mended
	[ "$(cat native.status)" -eq 0 ]
	show_log
	require_addr2line
}

@test "a stack names the functions that were called" {
	stacks_of plain
	frames log | functions | head -n 5 | tr '\n' ' ' >names
	cat names
	grep -q '^inner middle outer plain host_main ' names
	origins log | functions | head -n 3 | tr '\n' ' ' >names
	cat names
	grep -q '^heap_pages prepare plain ' names
	no_garbage log
}

@test "a stack reaches through a signal handler to the function interrupted" {
	for part in handler handler-on-other-stack; do
		stacks_of $part
		frames log | functions | tr '\n' ' ' >names
		cat names
		grep -qE "^inner on_trap .*interrupted ${part//-/_} host_main " names
		no_garbage log
	done
}

@test "stripped: the same places" {
	require_program "${STRIP:=strip}"
	stacks_of plain
	frames log >places
	"$STRIP" -o stripped "$STACKS"
	rm log
	journal ./stripped plain
	frames log | sed "s|$PWD/stripped|$STACKS|" | diff -u places -
}

@test "through generated code: real places, or unknown" {
	local part

	for part in generated generated-without-frame generated-with-other-frame \
		generated-with-false-frame; do
		stacks_of $part
		no_garbage log
		frames log | functions | head -n 2 | tr '\n' ' ' >names
		[ "$(cat names)" = "inner middle " ]
		# Next is the code itself, if anything.
		frames log | sed -n 3p >third
		if [ -s third ] && [ -n "$(cat third)" ]; then
			read -r module address <third
			code=$(sed -n 's/^code at //p' mended.err)
			echo "code at $code"
			[ "$module" = unknown ]
			[ $((address & ~4095)) -eq $((code)) ]
		fi
	done
}

build_plugins() {
	"$CC" -g -O1 -shared -fPIC -o journal-first.so "$top_srcdir/tests/hosts/journal-plugin.c" ||
		skip "$CC cannot build a shared library"
	cp journal-first.so journal-second.so
	export HOST_PLUGINS=$PWD/journal-first.so:$PWD/journal-second.so
}

@test "a library's path outlives dlclose, also where another takes its place" {
	build_plugins
	stacks_of closed
	frames log | functions | head -n 40
	# The library asks: its own place. Then the program, for the library's memory.
	[ "$(frames log | grep -c "^$PWD/journal-first.so 0x")" -eq 1 ]
	[ "$(frames log | grep -c "^$PWD/journal-second.so 0x")" -eq 1 ]
	[ "$(origins log | grep -c "^$PWD/journal-first.so 0x")" -eq 2 ]
	[ "$(origins log | grep -c "^$PWD/journal-second.so 0x")" -eq 2 ]
	origins log | functions | grep -c -x plugin_memory
	[ "$(origins log | functions | grep -c -x plugin_memory)" -eq 4 ]
}

@test "a host in C++: its functions" {
	require_program g++
	cat >cxx.cc <<-'END'
		#include <cstdlib>
		#include <functional>
		#include <sys/mman.h>
		struct engine {
			void *page;
			engine() { if (posix_memalign(&page, 4096, 4096)) abort(); }
			template <typename T> __attribute__((noinline)) int compile(T size)
			{
				int result = mprotect(page, size, PROT_READ | PROT_WRITE | PROT_EXEC);
				asm volatile("" : : : "memory");
				return result;
			}
		};
		int main()
		{
			engine one;
			std::function<int(int)> ask = [&](int n) { return one.compile<long>(n) + n; };
			try {
				throw ask(4096);
			} catch (int n) {
				return n != 4096;
			}
		}
	END
	g++ -g -O0 -o cxx cxx.cc
	journal ./cxx
	show_log
	require_addr2line
	frames log | functions >names
	cat names
	head -n 1 names | grep -q 'engine::compile<long>(long)'
	grep -qx main names
}

@test "C++ that throws in a C host, with a journal by either unwinder" {
	require_program g++
	local path

	g++ -O1 -fnon-call-exceptions -shared -fPIC -o plugin.so "$top_srcdir/tests/hosts/plugin.cc"
	export PLUGIN=$PWD/plugin.so JITMEND_BACKTRACE=64
	hide_libunwind
	run_as native "$HOSTS/places" plugin
	for path in "" "$PWD/hidden"; do
		rm -f log
		LD_LIBRARY_PATH=$path run_as mended journal "$HOSTS/places" plugin
		same_outcome native mended
		[ "$(cat mended.status)" -eq 0 ]
		grep -o '"unwinder":"[a-z]*"' log
		[ "$(lines request log)" -ge 1 ]
	done
}

# Files of their names that cannot be loaded, in a folder for LD_LIBRARY_PATH.
hide_libunwind() {
	mkdir -p hidden
	echo "no library" >hidden/libunwind.so.8
	cp hidden/libunwind.so.8 hidden/libunwind.so.1
}

@test "libgcc where libunwind cannot be loaded" {
	stacks_of plain
	frames log | functions >by-default
	hide_libunwind
	rm log
	run_as mended env LD_LIBRARY_PATH="$PWD/hidden" LD_PRELOAD="$PRELOAD" \
		JITMEND_POLICY="$POLICY" JITMEND_LOG="$LOG" "$STACKS" plain
	same_outcome native mended
	show_log
	grep -q '"unwinder":"libgcc"' log || skip "libgcc_s.so.1 is not installed"
	frames log | functions | diff -u by-default -
	for part in handler generated generated-without-frame generated-with-other-frame \
		generated-with-false-frame odd-frame lost-frame; do
		rm -f log
		LD_LIBRARY_PATH=$PWD/hidden run_as mended journal "$STACKS" "$part"
		[ "$(cat mended.status)" -eq 0 ]
		no_garbage log
	done
}

@test "no unwinder at all: the call site" {
	require_program readelf
	hide_libunwind
	cp hidden/libunwind.so.8 hidden/libgcc_s.so.1
	run_as native "$STACKS" plain
	run_as mended env LD_LIBRARY_PATH="$PWD/hidden" LD_PRELOAD="$PRELOAD" \
		JITMEND_POLICY="$POLICY" JITMEND_LOG="$LOG" "$STACKS" plain
	same_outcome native mended
	show_log
	grep -q '"unwinder":"none"' log
	[ "$(frames log | grep -c "^$STACKS 0x")" -eq 1 ]
}

@test "JITMEND_BACKTRACE: how many frames" {
	local n

	run_as native "$STACKS" deep
	for n in 1 2 16 64; do
		rm -f log
		JITMEND_BACKTRACE=$n run_as mended journal "$STACKS" deep
		same_outcome native mended
		show_log
		[ "$n" -eq 1 ] || require_addr2line
		grep -q "\"frames\":$n," log
		[ "$(frames log | grep -c ' 0x')" -eq "$n" ]
	done
}

@test "JITMEND_BACKTRACE: bad words" {
	local word

	run_as native "$STACKS" plain
	for word in '' 0x10 -1 65 ten 1e1 '1 ' 99999999999999999999; do
		JITMEND_BACKTRACE=$word run_as mended journal "$STACKS" plain
		same_outcome native mended
		cat mended.err
		[ "$(wc -l <mended.err)" -eq 1 ]
		grep -q "JITMEND_BACKTRACE.*jitmend is off here" mended.err
		[ ! -e log ]
	done
}

@test "long names and odd bytes: a line is never cut" {
	local folder i

	# Two stacks of 64 places that are some hundred bytes each.
	folder=$PWD/$(printf '%0200d' 0)/$(printf '%0200d' 1)
	mkdir -p "$folder"
	cp "$STACKS" "$folder/"$'bad\377"\\\n\303\251name'
	JITMEND_BACKTRACE=64 run_as mended journal "$folder/"$'bad\377"\\\n\303\251name' deep
	show mended
	[ "$(cat mended.status)" -eq 0 ]
	tail -c 300 log
	[ "$(lines request log)" -eq 1 ]
	grep -q '{"more":[1-9]' log
	[ "$(grep -c '[[:cntrl:]]' log)" -eq 0 ]
}
