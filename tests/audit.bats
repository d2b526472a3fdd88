#!/usr/bin/env bats
# audit.bats: --audit changes nothing, and tells what a policy would refuse.
#
# Programs with a JIT compiler of their own do a load that runs compiled code:
# natively and audited, on this machine as it is; then under a policy, alone and
# audited. Both times the two runs must come to the same, and the journal must
# list the requests that such a program is known to make, each with the answer
# that it got. What is not installed is skipped.

load common

setup() {
	skip_listed
	cd "$BATS_TEST_TMPDIR" || return
	ulimit -S -c 0
	unset LD_PRELOAD
	export TMPDIR=$BATS_TEST_TMPDIR
}

# requests: each kind of request in the journals of the last audited run, in
# words, once.
requests() {
	python3 "$DATA/read-journal.py" requests log.*
}

audited() {
	rm -f log.*
	run_as audited "$@"
}

# lists ANSWER REQUEST...: the journal has each request, "CALL PROTECTION DANGER"
# as a pattern, and with that answer.
lists() {
	local answer=$1 request

	shift
	requests >requests.txt
	echo "--- requests"
	cat requests.txt
	for request; do
		grep -qxE "$request $answer" requests.txt
	done
}

# allowed REQUEST... -- PROGRAM [ARG...]: it is the same program audited, makes
# those requests, and all are marked allowed.
allowed() {
	local expected=()

	while [ "$1" != -- ]; do
		expected+=("$1")
		shift
	done
	shift
	require_program "$1" python3
	run_as native "$@"
	audited jitmend run --audit --log=log.%p -- "$@"
	same_outcome native audited
	[ "$(cat native.status)" -eq 0 ]
	cmp native.err audited.err
	lists 'allowed passed-on' "${expected[@]}"
	[ "$(grep -cvx '.* allowed passed-on' requests.txt)" -eq 0 ]
}

# refused_by POLICY REQUEST -- PROGRAM [ARG...]: under that policy it fares the
# same audited, and that request is marked refused.
refused_by() {
	local policy=$1 request=$2

	shift 3
	require_program "$1" python3
	require_deny "$policy"
	run_as denied jitmend deny "$policy" -- "$@"
	audited jitmend deny "$policy" -- "$JITMEND" run --audit --log=log.%p -- "$@"
	same_outcome denied audited
	lists 'refused EACCES .*' "$request"
}

# ----------------------------------------------------------------- programs

luajit_load() {
	command=(luajit "$DATA/audit.lua" 3)
}

@test "LuaJIT, audited" {
	luajit_load
	allowed 'mprotect r-x execmem' -- "${command[@]}"
}

@test "LuaJIT, audited under execmem" {
	luajit_load
	refused_by --execmem 'mprotect r-x execmem' -- "${command[@]}"
	failed audited
	cmp denied.err audited.err
}

@test "Node, audited" {
	allowed 'mprotect rwx execmem' -- node "$DATA/audit.js" 3
}

@test "Node, audited under execmem" {
	refused_by --execmem 'mprotect rwx execmem' -- node "$DATA/audit.js"
	failed audited
}

java_load() {
	require_program java javac
	javac -d . "$DATA/Audit.java"
	command=(java -cp . Audit 3)
}

@test "Java, audited" {
	java_load
	allowed 'mmap rwx execmem' 'mprotect -wx execmem' -- "${command[@]}"
}

@test "Java, audited under execmem" {
	java_load
	refused_by --execmem 'm.* .*x execmem' -- "${command[@]}"
	failed audited
}

@test "PHP, audited: PCRE's requests" {
	allowed 'mmap rwx execmem' -- php "$DATA/audit.php"
}

# opcache_is_deep: this PHP opens it with RTLD_DEEPBIND (8.2 does, 8.4 does not): it looks
# into itself first, and so binds to libc behind every preload's back.
opcache_is_deep() {
	LD_DEBUG=scopes php -d opcache.enable_cli=1 -r '' 2>&1 |
		grep -q ' scope 0: [^ ]*/opcache\.so '
}

@test "PHP, audited: opcache's JIT is not disturbed, and seen unless it is bound to libc alone" {
	require_program php
	[ -n "$(php -r 'echo extension_loaded("Zend OPcache");')" ] || skip "PHP has no opcache"
	local load=(php -d opcache.enable_cli=1 -d opcache.jit=tracing
		-d opcache.jit_buffer_size=64M "$DATA/audit.php" 3)

	if opcache_is_deep; then
		allowed 'mmap rwx execmem' -- "${load[@]}"
		[ "$(grep -c mprotect requests.txt)" -eq 0 ]
	else
		allowed 'mmap rwx execmem' 'mprotect r-x execmem' -- "${load[@]}"
	fi
}

@test "PHP, audited under execmem: PCRE does without its JIT" {
	refused_by --execmem 'mmap rwx execmem' -- php "$DATA/audit.php"
	cmp denied.err audited.err
}

@test "tcc -run, audited" {
	require_program tcc
	run_as native tcc -run "$DATA/tcc-hello.c" one two
	audited jitmend run --audit --log=log.%p -- tcc -run "$DATA/tcc-hello.c" one two
	same_outcome native audited
	cmp native.err audited.err
	lists 'allowed passed-on' 'mprotect rwx execheap'
}

@test "tcc -run, audited under execheap" {
	refused_by --execheap 'mprotect rwx execheap' -- tcc -run "$DATA/tcc-hello.c" one two
	failed audited
	cmp denied.err audited.err
}

@test "Python's ctypes, audited" {
	allowed 'mmap rwx execmem' -- python3 "$DATA/audit-ctypes.py"
}

# libffi has a memfd to fall back to.
@test "Python's ctypes, audited under execmem" {
	refused_by --execmem 'mmap rwx execmem' -- python3 "$DATA/audit-ctypes.py"
	[ "$(cat audited.status)" -eq 0 ]
}

grep_load() {
	echo x | grep -qP '(x)' 2>/dev/null || skip "grep has no -P"
	command=(grep -nP '(\w)\w*\1\b' "$DATA/audit.lua")
}

@test "grep -P, audited" {
	grep_load
	allowed 'mmap rwx execmem' -- "${command[@]}"
}

@test "grep -P, audited under execmem" {
	grep_load
	refused_by --execmem 'mmap rwx execmem' -- "${command[@]}"
}

ruby_load() {
	require_program ruby
	# Where it has none, it says so, and goes on.
	ruby --yjit -e 'exit RubyVM::YJIT.enabled?' 2>/dev/null || skip "ruby has no YJIT"
	command=(ruby --yjit "$DATA/audit.rb" 3)
}

@test "Ruby's YJIT, audited" {
	ruby_load
	allowed 'mprotect r-x execmem' -- "${command[@]}"
}

@test "Ruby's YJIT, audited under execmem" {
	ruby_load
	refused_by --execmem 'm.* r-x execmem' -- "${command[@]}"
	failed audited
}

@test "Guile, audited" {
	allowed 'mmap rwx execmem' -- guile --no-auto-compile "$DATA/audit.scm"
}

@test "Guile, audited under execmem" {
	refused_by --execmem 'mmap rwx execmem' -- guile --no-auto-compile "$DATA/audit.scm"
}

# SBCL maps by syscall().
@test "SBCL, audited" {
	allowed 'mmap rwx execmem' -- sbcl --script "$DATA/audit.lisp" 1
}

@test "SBCL, audited under execmem" {
	refused_by --execmem 'mmap rwx execmem' -- sbcl --script "$DATA/audit.lisp" 1
	failed audited
}

@test "PyPy, audited" {
	allowed 'mmap rwx execmem' -- pypy3 "$DATA/audit.py" 3
}

@test "Racket, audited" {
	allowed 'mmap rwx execmem' -- racket "$DATA/audit.rkt"
}

@test "Mono, audited" {
	require_program mono mcs
	mcs -out:audit.exe "$DATA/audit.cs"
	allowed 'mmap rwx execmem' -- mono audit.exe 3
}

# -------------------------------------------------------------- every danger

PARTS='anonymous devzero file heap stack shared odd'

# shellcheck disable=SC2206 # several words
dangers=("$HOSTS/dangers" $PARTS)

@test "each danger is listed, and allowed here" {
	allowed 'mprotect r-x execmem' 'mprotect rwx execmem' 'mmap rwx execmem' \
		'mprotect r-x devzero' 'mprotect r-x execmod' 'mprotect rwx execheap' \
		'mprotect rwx execstack' -- "${dangers[@]}"
	grep -q '"call":"shmat"' log.*
}

# one_refused POLICY ERRNO DANGER...: those alone are refused.
one_refused() {
	local policy=$1 error=$2 danger

	shift 2
	require_program python3
	require_deny "$policy"
	run_as denied jitmend deny "$policy" -- "${dangers[@]}"
	audited jitmend deny "$policy" -- "$JITMEND" run --audit --log=log.%p -- "${dangers[@]}"
	same_outcome denied audited
	cmp denied.err audited.err
	lists "refused $error .*"
	for danger; do
		grep -q " $danger refused $error " requests.txt
		sed -i "/ $danger refused $error /d" requests.txt
	done
	[ "$(grep -c refused requests.txt)" -eq 0 ]
}

@test "the one that is refused is marked: execheap" {
	one_refused --execheap EACCES execheap
	grep -q ' execmod allowed' requests.txt
	grep -q ' execmem allowed' requests.txt
}

@test "the one that is refused is marked: execmod" {
	one_refused --execmod EACCES execmod devzero
	grep -q ' execheap allowed' requests.txt
}

@test "the one that is refused is marked: execstack" {
	one_refused --execstack EACCES execstack
	grep -q ' execheap allowed' requests.txt
}

@test "the one that is refused is marked: /dev mounted noexec" {
	one_refused --noexec-dev EACCES devzero
	grep -q ' execmod allowed' requests.txt
}

# Pages of a file need it where they are to be writable and executable.
@test "what is refused is marked: execmem, and what needs it too" {
	one_refused --execmem EACCES execmem execheap execstack execmod
	grep -q ' execmod allowed' requests.txt
}

@test "what is refused is marked: MemoryDenyWriteExecute, by prctl" {
	one_refused --mdwe EACCES execmem execheap execmod execstack devzero
}

@test "what is refused is marked: MemoryDenyWriteExecute, by a filter" {
	one_refused --seccomp EPERM execmem execheap execmod execstack devzero
}

# ---------------------------------------------------------- it changes nothing

# traced NAME [RUN...]: the calls of the program itself, in NAME.calls.
traced() {
	# shellcheck disable=SC2086 # several words
	run_as "$1" strace -qq -o "$1.trace" \
		-e trace=mmap,?mmap2,mprotect,pkey_mprotect,munmap,mremap,madvise,shmat,shmdt,getppid \
		"${@:2}" "$HOSTS/dangers" mark $PARTS mark
	python3 "$DATA/read-trace.py" "$1.trace" >"$1.calls"
}

@test "strace sees the same calls with the same arguments and results" {
	require_program strace python3
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	traced native
	traced audited "$JITMEND" run --audit --log=log.%p --
	traced mended "$JITMEND" run --policy=execheap,execmod --log=mended.log --
	show native
	[ "$(grep -c PROT_EXEC native.calls)" -ge 10 ]
	same_outcome native audited
	diff native.calls audited.calls
	grep -q '"event":"request"' log.*
	# It could tell, if there were anything to be told.
	if cmp native.calls mended.calls; then
		return 1
	fi
}

# SigCgt of proc(5), in hexadecimal: SIGSEGV is signal 11.
catches_segv() {
	local mask

	mask=$(sed -n 's/^SigCgt:[^0-9a-f]*//p' "$1.out")
	[ -n "$mask" ]
	(((0x$mask >> 10) & 1))
}

@test "no signal handler is installed" {
	# shellcheck disable=SC2086 # several words
	set -- "$HOSTS/dangers" $PARTS caught
	run_as native "$@"
	audited jitmend run --audit --log=log.%p -- "$@"
	same_outcome native audited
	grep -q '^SigCgt:' audited.out
	if catches_segv audited; then
		return 1
	fi
	# Mending needs one, so it would be seen.
	run_as mended jitmend run --policy=execheap --log=mended.log -- "$@"
	show mended
	catches_segv mended
}

# ----------------------------------------------------- functions on the stack

CALLERS='prepare_code run_round run main _start'

# stacks ALLOCATOR LINE...: the journal's stacks are these functions of the
# converter, by its debug information, and each line was met.
stacks() {
	local allocator=$1

	! is_of_32_bits || skip "the code that the converter makes is x86_64's"
	shift
	audited jitmend run --audit --log=log.%p -- "$HOSTS/converter" --allocator="$allocator" \
		--hex --threads=2 --repeat=3 "$DATA/customers.dictionary" "$DATA/customers.hex"
	show audited
	cmp audited.out "$DATA/customers.csv"
	python3 "$DATA/read-journal.py" functions "$HOSTS/converter" log.* | sort -u >functions.txt
	echo "--- functions, $allocator"
	cat functions.txt
	printf '%s\n' "$@" | sort -u | diff - functions.txt
}

ASKED="request mprotect: make_executable $CALLERS"

@test "the converter's stacks, function by function: MAP_ANONYMOUS" {
	require_program python3 addr2line
	stacks anonymous "$ASKED" "origin mmap: allocate_anonymous allocate_code $CALLERS"
}

# A compiler may make the call in allocate_devzero_rwx a jump.
@test "the converter's stacks, function by function: /dev/zero" {
	require_program python3 addr2line
	local between

	stacks devzero "$ASKED" "origin mmap: map_devzero allocate_code $CALLERS" ||
		stacks devzero "$ASKED" \
			"origin mmap: map_devzero allocate_devzero allocate_code $CALLERS"
	for between in '' 'allocate_devzero_rwx '; do
		! stacks devzero-rwx "request mmap: map_devzero ${between}allocate_code $CALLERS" ||
			return 0
	done
	return 1
}

@test "the converter's stacks, function by function: posix_memalign, aligned_alloc" {
	require_program python3 addr2line
	local allocator

	for allocator in memalign-small memalign-large; do
		stacks "$allocator" "$ASKED" \
			"origin posix_memalign: allocate_memalign allocate_code $CALLERS"
	done
	stacks aligned "$ASKED" "origin aligned_alloc: allocate_aligned allocate_code $CALLERS"
}

@test "the converter's stacks, function by function: malloc, a file, its own data" {
	require_program python3 addr2line
	stacks malloc "$ASKED"
	stacks file "$ASKED" "origin mmap: allocate_file allocate_code $CALLERS"
	stacks data-segment "$ASKED"
}

@test "the permission that is asked for after the first is told too" {
	require_program python3
	allowed 'mprotect rwx execheap' 'mprotect rwx execmem' -- "$HOSTS/ask" --fork brk-rwx
	allowed 'mprotect rwx execstack' 'mprotect rwx execmem' -- "$HOSTS/ask" --fork stack-rwx
	allowed 'mmap rwx devzero' 'mmap rwx execmem' -- "$HOSTS/ask" --fork devzero-rwx
	allowed 'mprotect r-x execmod' -- "$HOSTS/ask" --fork file-written-rx
	! lists allowed 'mprotect r-x execmem' || return 1
}
