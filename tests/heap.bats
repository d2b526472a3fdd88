#!/usr/bin/env bats
# heap.bats: glibc's heap and its allocators around pages that are, or were, code;
# mappings of /dev/zero.

# shellcheck disable=SC2034,SC2154 # for and from alike.bash and common.bash

load common
load alike

setup() {
	alike_setup
}

@test "a heap page is code and data in turn, its neighbours stay" {
	alike heap cycle
	logged "mended"
}

@test "freed pages of code are handed out again" {
	alike heap reuse
	logged "mended"
}

@test "realloc over pages of code" {
	alike heap grow
	logged "mended"
}

@test "malloc trims pages of code away" {
	alike heap trim
	logged "mended"
}

@test "brk moves down and up through pages of code" {
	alike heap brk odd-brk
	logged "mended"
}

@test "malloc, free and realloc at random among pages of code" {
	alike heap storm
	logged "mended"
}

@test "64 MiB at once stay as sparse as they were" {
	alike heap vast
	logged "mended"
}

@test "the heap's pages through syscall()" {
	alike heap --syscall cycle reuse grow trim brk odd-brk vast
	logged "mended"
}

@test "posix_memalign answers as ever" {
	alike allocations posix
	logged 'is active'
}

@test "aligned_alloc and memalign answer as ever" {
	alike allocations aligned
	logged 'is active'
}

@test "valloc and pvalloc answer as ever" {
	alike allocations page
	logged 'is active'
}

@test "what each allocator gave becomes code, and is freed" {
	alike allocations as-code
	logged "mended"
	for name in posix_memalign aligned_alloc memalign valloc pvalloc; do
		logged "memory from $name at "
	done
}

@test "/dev/zero by every descriptor" {
	alike devzero lives
	logged "mapped anonymous memory instead"
}

@test "/dev/zero by every descriptor, where /dev is said to be noexec" {
	POLICY=noexec-dev
	alike devzero lives fixed shared
	logged "mapped anonymous memory instead"
}

@test "/dev/zero under another name" {
	alike devzero other-name
	if grep -q '^no device' native.out; then
		skip "$(tail -n 1 native.out)"
	fi
	logged "mapped anonymous memory instead"
}

@test "/dev/zero with every flag, and shared" {
	alike devzero fixed shared
	logged "mapped anonymous memory instead"
}

@test "/dev/zero through syscall()" {
	alike devzero --syscall lives fixed shared
	logged "mapped anonymous memory instead"
}
