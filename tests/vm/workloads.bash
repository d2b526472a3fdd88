# workloads.bash: the programs that run in the virtual machine, a name each, and what
# makes the name a command. Sourced by run and guest; wants $top_srcdir, $top_builddir.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # who sources it has the rest

hosts=$top_builddir/tests/hosts

# The parts of hosts. Known limits are left out here as in the bats files; so are storms:
# a fault costs 50 times what it costs on a machine.
declare -A parts=(
	[allocations]="posix aligned page as-code"
	[code-calls]="$(echo {rights,mixed-rights,unmap,move}/{anonymous,heap,file,shared} lock/heap)
		dontneed/anonymous trim brk-again"
	[code-forks]="own one-side siblings by-mprotect exec vfork spawn syscall"
	[code-signals]="own-faults of-the-code barrier blocked"
	[code-turns]="rewrite-by-mprotect patch patch-next loop counters stores strings two-threads
		kernel-reads"
	[code-ways]="rwx rw-rx rw-rwx rx-first write-and-exec never-run places flags errors heap
		devzero file-private file-shared anonymous-shared two-views read-implies-exec"
	[devzero]="lives fixed shared"
	[heap]="cycle reuse grow trim brk odd-brk vast"
	[kernel-writes]="files fortified code-is-read vectors results"
	[pages]="unmap map-over remap remap-grow remap-dontunmap dontneed fork-advice lock"
	[ranges]="bad mixed past-end untouchable own-data shared file-beneath read-implies-exec"
)

# workload NAME: its command's words, in $command.
workload() {
	local data=$top_srcdir/tests/data

	case $1 in
	converter/*)
		command=("$hosts/converter" "--allocator=${1#*/}" --hex --threads=2 --repeat=3
			"$data/customers.dictionary" "$data/customers.hex")
		;;
	program/tcc) command=(tcc -run "$data/tcc-hello.c" from memory) ;;
	program/luajit) command=(luajit "$data/audit.lua" 1) ;;
	program/where) command=(luajit "$top_srcdir/tests/vm/where.lua") ;;
	program/gcl) command=(gcl -batch -load checksum.o -eval '(print (checksum 30000))'
		-eval '(gbc t)' -eval '(print (checksum 30000))' -eval '(bye 3)') ;;
	program/php) command=(php -d opcache.enable_cli=1 -d opcache.jit=tracing
		-d opcache.jit_buffer_size=64M "$data/audit.php" 1) ;;
	program/node) command=(node "$data/audit.js" 1) ;;
	program/java) command=(java -cp . Audit 1) ;;
	ask/*)
		# shellcheck disable=SC2207 # a list of words
		command=("$hosts/ask" --fork $("$hosts/ask" --list))
		;;
	host/*)
		# shellcheck disable=SC2206 # a list of words
		command=("$top_srcdir/tests/vm/each" "$hosts/${1#*/}" ${parts[${1#*/}]})
		;;
	esac
}

# installed NAME: whether the workload's program is here.
installed() {
	case $1 in
	program/where) command -v luajit ;;
	program/*) command -v "${1#*/}" ;;
	esac >/dev/null
}

# list FILE: the lines of one of our tables.
list() {
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$top_srcdir/tests/vm/$1"
}

# The policies of denials, by the boot that has them.
ours='fedora opensuse all all-memfd'
debians='unconfined user'

# ask_policies: what tests/hosts/ask asks under.
ask_policies() {
	printf '%s\n' execheap execmod execstack execmem execheap,execmod,execstack \
		execheap,execmem execheap,execmod,execstack,execmem
}

# file_policies_and_files: where code may be executed from less and less kinds of file,
# and the file that it goes to.
file_policies_and_files() {
	cat <<-'END'
		all /memfd:jitmend
		all-memfd /dev/shm/
		all-memfd-shm /tmp/
		all-memfd-shm-tmp /var/tmp/
	END
}

file_policies() {
	file_policies_and_files | cut -d ' ' -f 1
}
