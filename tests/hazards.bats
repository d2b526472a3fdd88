#!/usr/bin/env bats
# hazards.bats: what goes wrong when one lives in another program's process:
# odd ranges, what becomes of the pages later, fork, constructors, handlers,
# little stack, no descriptors, no /proc, other libraries.

# shellcheck disable=SC2154 # common.bash

load common
load alike

setup() {
	alike_setup
}

# ------------------------------------------------------------------- ranges

@test "mprotect's errors are the kernel's" {
	alike ranges bad
	logged mended
}

@test "a range of heap, anonymous memory, a file and a hole" {
	alike ranges mixed
	logged mended
}

@test "a file that is shorter than its mapping" {
	alike ranges past-end
	logged mended
}

@test "pages that nobody could touch, or write" {
	alike ranges untouchable
	logged mended
}

@test "the program's own data becomes code" {
	alike ranges own-data
	logged mended
}

@test "a shared mapping stays shared" {
	alike ranges shared
	logged 'is active'
}

@test "the file beneath a private mapping" {
	alike ranges file-beneath
	logged mended
}

@test "protection keys" {
	alike ranges keys
	if grep -q '^no protection keys' native.out; then
		skip "this processor or kernel has no protection keys"
	fi
	logged mended
}

@test "READ_IMPLIES_EXEC" {
	alike ranges read-implies-exec
	logged mended
}

@test "ranges through syscall()" {
	alike ranges --syscall bad mixed untouchable own-data file-beneath
	logged mended
}

# -------------------------------------------------------------------- later

@test "munmap, mmap and mremap of pages that became code" {
	alike pages unmap map-over remap remap-grow remap-dontunmap
	logged mended
}

@test "the same through syscall()" {
	alike pages --syscall unmap map-over remap remap-grow remap-dontunmap dontneed
	logged mended
}

@test "MADV_DONTNEED and MADV_FREE of heap pages" {
	alike pages dontneed
	logged mended
}

@test "MADV_DONTNEED of a file's pages" {
	known_limit "a file's page that was copied does not go back to the file's contents"
	alike pages dontneed-file
}

@test "MADV_DONTFORK and MADV_WIPEONFORK after" {
	alike pages fork-advice
	logged mended
}

@test "MADV_DONTFORK before" {
	alike pages advice-first
	logged mended
}

@test "locked pages" {
	alike pages lock lock-first
	logged mended
}

@test "sealed pages" {
	alike pages seal
	if grep -q '^no mseal' native.out; then
		skip "this kernel has no mseal"
	fi
	logged mended
}

# --------------------------------------------------------------------- fork

@test "fork and vfork after pages became code" {
	alike forks after vfork
	logged mended
}

@test "fork while another thread makes code" {
	alike forks while-forking while-_Forking while-vforking
	logged mended
}

@test "fork by syscall() while another thread makes code" {
	alike forks while-syscall-forking
	logged mended
}

@test "posix_spawn out of a page that becomes code" {
	alike forks while-spawning
	logged mended
}

@test "code in a child of fork, and of vfork" {
	alike places fork vfork
	logged mended
}

# ------------------------------------------------------------------- places

@test "code in a constructor, at exit and in a destructor" {
	alike places constructor
	logged mended
}

@test "code in a constructor before the library's own" {
	"$CC" -shared -fPIC -o libearly.so "$top_srcdir/tests/hosts/early.c" &&
		"$CC" -DEARLY_PROGRAM -o early "$top_srcdir/tests/hosts/early.c" \
			-L. -learly -Wl,-rpath,"$PWD" || skip "$CC cannot build a shared library"
	run_as native ./early
	run_as mended with_library ./early
	same_outcome native mended
	[ "$(cat mended.out)" -eq 42 ]
	grep -q "mended.* at .*libearly.so+0x" log.*
}

@test "code before the library's own constructor, and stores carried out later" {
	local early=$BATS_TEST_TMPDIR/libearly.so

	"$CC" -shared -fPIC -o "$early" "$top_srcdir/tests/hosts/early.c" ||
		skip "$CC cannot build a shared library"
	run_as native "$HOSTS/code-turns" loop patch-next
	run_as mended env LD_PRELOAD="$PRELOAD $early" JITMEND_POLICY=strict \
		"$HOSTS/code-turns" loop patch-next
	same_outcome native mended
}

@test "code in signal handlers that interrupt the same" {
	alike places handler handler-on-small-stack
	logged mended
}

@test "code in threads, with little stack, and on their way out" {
	alike places threads small-threads leaving
	logged mended
}

@test "a writer with little stack" {
	alike places small-writer
	logged mended
}

@test "threads that end with all signals blocked" {
	known_limit "glibc's own stores with all signals blocked may meet a page on the move"
	alike places detached
}

@test "code with every descriptor closed" {
	run_as native "$HOSTS/places" closed
	mv closed closed.native
	run_as mended with_library "$HOSTS/places" closed
	show native mended
	cmp native.status mended.status
	cmp closed closed.native
}

@test "the host's file on every descriptor has nothing of ours" {
	alike places every-number
	[ "$(wc -c <every-number)" -eq 0 ]
	logged mended
}

@test "little address space" {
	alike places address-space
	logged mended
}

@test "no address space left" {
	alike places no-address-space
	logged mended
}

@test "no file may grow, the log neither" {
	# The limit is on files: the answer goes through a pipe.
	run_as native sh -c '"$@" | cat' sh "$HOSTS/places" no-file-size
	run_as mended sh -c '"$@" | cat' sh env LD_PRELOAD="$PRELOAD" JITMEND_POLICY="$POLICY" \
		JITMEND_LOG="$PWD/log.%p" "$HOSTS/places" no-file-size
	same_outcome native mended
	grep -qx '1 1' mended.out
}

@test "code in a chroot" {
	alike places no-root
	if grep -q '^no chroot' native.out; then
		skip "chroot is not permitted"
	fi
	logged mended
}

@test "code without /proc" {
	local script='mount -t tmpfs none /proc && exec "$@"'

	require_program unshare mount
	unshare -m sh -c "$script" sh true 2>/dev/null || skip "/proc cannot be hidden here"
	run_as native unshare -m sh -c "$script" sh "$HOSTS/places" plain threads fork
	run_as mended unshare -m sh -c "$script" sh env LD_PRELOAD="$PRELOAD" \
		JITMEND_POLICY="$POLICY" JITMEND_LOG="$PWD/log.%p" "$HOSTS/places" plain threads fork
	same_outcome native mended
	[ "$(cat mended.status)" -eq 0 ]
	logged mended
}

@test "stack pages are as executable as ever" {
	alike stack own thread
	logged 'is active'
}

@test "a stack page that a policy refuses stays refused, and that is said" {
	require_deny --execstack
	denied_and_mended --execstack -- "$HOSTS/stack" own
	show denied mended
	show_log
	grep -q '^stack: -1 EACCES$' denied.out
	same_outcome denied mended
	grep -q 'execstack.*refused' log
}

@test "a stack page whose refusal is foretold: the kernel is not asked" {
	require_deny --execstack
	run_as denied "$JITMEND" deny --verbose --execstack -- "$HOSTS/stack" own thread
	run_as mended "$JITMEND" deny --verbose --execstack -- "$JITMEND" run --policy=execstack \
		--log="$PWD/log" -- "$HOSTS/stack" own thread
	same_outcome denied mended
	show_log
	[ "$(grep -c '{ execstack }' denied.err)" -eq 2 ]
	[ "$(grep -c '{ execstack }' mended.err)" -eq 0 ]
	grep -q '"answer":"expected","done":"not-mended"' log
}

# ---------------------------------------------------------- other libraries

@test "a host in C opens C++ that throws" {
	require_program g++
	g++ -O1 -fnon-call-exceptions -shared -fPIC -o plugin.so "$top_srcdir/tests/hosts/plugin.cc"
	export PLUGIN=$PWD/plugin.so
	alike places plugin
	logged mended
}

@test "jemalloc, before us and after us" {
	local order

	LD_PRELOAD=libjemalloc.so.2 true 2>jemalloc.err
	[ ! -s jemalloc.err ] || skip "libjemalloc.so.2 is not installed"
	for order in "libjemalloc.so.2:$PRELOAD" "$PRELOAD:libjemalloc.so.2"; do
		for part in plain threads fork handler leaving; do
			run_as native env LD_PRELOAD=libjemalloc.so.2 HOST_OTHER_MALLOC=1 \
				"$HOSTS/places" "$part"
			run_as mended env LD_PRELOAD="$order" HOST_OTHER_MALLOC=1 \
				JITMEND_POLICY="$POLICY" JITMEND_LOG="$PWD/log.%p" \
				"$HOSTS/places" "$part"
			same_outcome native mended
			[ "$(cat mended.status)" -eq 0 ]
		done
	done
	logged mended
}

# ------------------------------------------------------------------- memory

@test "where a policy refuses, and there is no memory to mend it, that is said" {
	local one

	require_deny --execheap --execmod
	run_as refused "$JITMEND" deny --execheap --execmod -- "$HOSTS/places" short-of-memory
	run_as mended "$JITMEND" deny --execheap --execmod -- \
		"$JITMEND" run --log="$PWD/log.%p" -- "$HOSTS/places" short-of-memory
	show refused mended
	for one in 'heap: -1 EACCES' 'file: -1 EACCES' 'heap, later: -1 EACCES' 'file, later: -1 EACCES'; do
		grep -qx "$one" refused.out
	done
	for one in 'heap: -1 ENOMEM' 'file: -1 ENOMEM' 'heap, later: 0' 'file, later: 0'; do
		grep -qx "$one" mended.out
	done
}

# ---------------------------------------------------------- filters that kill

under_killer() {
	run_as "$1" python3 "$top_srcdir/tests/data/read-probe.py" kill "${@:2}"
}

@test "a filter that kills ends nobody who does not ask, and who asks is mended" {
	local waits='import os
try:
    os.waitpid(-1, 0x40000000)
except ChildProcessError:
    print("no child")'

	[ "$(uname -m)" = x86_64 ] || skip "the filter of this test is for x86_64"
	under_killer native "$HOSTS/ask" brk-rx
	[ "$(cat native.status)" -eq 159 ]
	under_killer mended "$JITMEND" run --log="$PWD/log.%p" -- "$HOSTS/ask" brk-rx anon-rw-rx
	show mended
	[ "$(cat mended.out)" = $'brk-rx: ok\nanon-rw-rx: ok' ]
	[ "$(cat mended.status)" -eq 0 ]
	logged mended
	under_killer idle "$JITMEND" run -- python3 -c "$waits"
	show idle
	[ "$(cat idle.out)" = "no child" ]
}
