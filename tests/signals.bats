#!/usr/bin/env bats
# signals.bats: SIGSEGV is the host's: its handlers, masks, faults and deaths are
# what they are without jitmend, whose own handler stands underneath.

# shellcheck disable=SC2154 # common.bash

load common
load alike

setup() {
	alike_setup
}

@test "sigaction and its kin tell what the host set" {
	alike signals query query-later
}

@test "siginterrupt" {
	alike signals interrupting
}

@test "sigaction tells flags that nobody knows as the kernel does" {
	alike signals odd-flags
}

@test "sigaction tells the flag that libc adds" {
	alike signals restorer
}

@test "faults come with the kernel's own words, and are jumped out of" {
	alike signals faults jumps
	logged mended
}

@test "sigsetjmp brings masks back" {
	alike signals jump-masks
	logged mended
}

@test "contexts bring masks back" {
	! is_of_32_bits || known_limit "contexts of i386 have the first 32 signals alone"
	alike signals contexts
	logged mended
}

@test "the mask that getcontext notes" {
	known_limit "getcontext asks the kernel itself"
	alike signals context-mask
}

@test "a handler changes the context" {
	alike signals skip
	logged mended
}

@test "a write barrier on pages of code" {
	alike signals barrier
	logged mended
}

@test "handlers run on the stack they asked for" {
	alike signals stacks thread-stacks
	logged mended
}

@test "SA_RESETHAND and SA_NODEFER" {
	alike signals oneshot nodefer nested-open
	logged mended
}

@test "a handler has the mask that it asked for" {
	alike signals handler-masks
	logged mended
}

@test "libc's own signals come through while threads are in faults" {
	alike signals all-threads
	logged mended
}

@test "100,000 faults, jumped out of, under a storm of another signal" {
	alike signals storm
	logged mended
}

@test "another signal's handler jumps out of faults" {
	alike signals storm-jumps
	logged mended
}

@test "threads are cancelled in faults" {
	alike signals cancelled
	logged mended
}

@test "a backtrace goes through the handler" {
	alike signals trace
	logged mended
}

@test "death by SIGSEGV" {
	alike signals death
	logged mended
}

@test "death by SIGSEGV leaves a core" {
	case $(cat /proc/sys/kernel/core_pattern) in
	'|'* | */*) skip "cores go elsewhere on this machine" ;;
	esac
	alike signals death-with-core
	logged mended
}

@test "SIGSEGV sent" {
	alike masks sent
	logged mended
}

@test "SIGSEGV blocked and pending" {
	alike masks pending handler-masks
	logged mended
}

@test "SIGSEGV pending, then ignored" {
	alike masks pending-ignored
	logged 'is active'
}

@test "SIGSEGV waited for" {
	alike masks waited
	logged mended
}

@test "SIGSEGV by signalfd" {
	known_limit "a blocked SIGSEGV does not come by signalfd"
	alike masks by-descriptor
}

@test "masks are told as the host set them" {
	alike masks masks thread-masks
	logged mended
}

@test "the real-time signal that jitmend borrows" {
	known_limit "SIGRTMAX-1 cannot be blocked on its own"
	alike masks stand-in
}

@test "waiting with everything blocked" {
	alike masks suspended
	logged mended
}

@test "SIGSEGV pending when a wait unblocks it" {
	alike masks suspended-pending
	logged mended
}

@test "SIGSEGV sent to a wait under a mask of its own" {
	alike masks suspended-sent
	logged mended
}

@test "SIGSEGV blocked interrupts nothing" {
	known_limit "a SIGSEGV sent while it is blocked ends sleeps and polls"
	alike masks uninterrupted
}

@test "SA_RESTART" {
	alike masks restarted
	logged mended
}

@test "sigset, sighold, sigblock and their kin" {
	alike masks old-ways
	logged mended
}

@test "sets that cannot be read" {
	alike masks bad-sets
	logged mended
}

@test "a vfork child's signals are its own" {
	alike masks vforked
	logged mended
}

@test "a new program gets the host's mask and dispositions" {
	alike masks exec-clean
	logged mended
}

@test "so does one that has the library too" {
	alike masks exec-same
	logged mended
}

@test "system() hands on SIGSEGV blocked or ignored" {
	known_limit "system() starts its shell within libc"
	alike masks system-clean system-same
}
