# workloads.bash: the programs that run in the virtual machine, a name each, and what
# makes the name a command. Sourced by run and guest; wants $top_srcdir, $top_builddir.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # who sources it has the rest

hosts=$top_builddir/tests/hosts

# The parts of hosts, of those in the bats files: a process for each word, the parts in it
# with commas between. Known limits are left out here as there; so are storms: a fault
# costs 50 times what it costs on a machine.
declare -A parts=(
	[allocations]="posix,aligned,page,as-code"
	[code-calls]="rights/heap mixed-rights/file unmap/anonymous move/shared lock/heap trim"
	[code-forks]="own,one-side,siblings,by-mprotect,exec,vfork,spawn,syscall"
	[code-signals]="own-faults,of-the-code,barrier,blocked"
	[code-turns]="rewrite-by-mprotect,patch,patch-next,loop,counters,stores,strings
		two-threads,kernel-reads"
	[code-ways]="rwx,rw-rx,rw-rwx,rx-first,write-and-exec,never-run,places,flags,errors
		heap devzero file-private,file-shared,anonymous-shared,two-views read-implies-exec"
	[dangers]="anonymous devzero file heap,odd"
	[devzero]="lives,fixed,shared"
	[forks]="after,vfork"
	[heap]="cycle,reuse,grow,trim,brk,odd-brk,vast"
	[kernel-writes]="files,fortified,code-is-read,vectors,results"
	[pages]="unmap,map-over,remap,remap-grow,remap-dontunmap,dontneed,fork-advice,lock"
	[places]="plain constructor leaving fork vfork"
	[ranges]="bad,mixed,past-end,untouchable own-data,shared,file-beneath read-implies-exec"
	[signals]="query-later,faults,jumps,contexts,stacks,handler-masks"
	[stack]="own thread"
)

# What the static program becomes: itself, a dynamic program, a script; what cannot be.
static=$top_builddir/tests/vm/static-agent
static_parts="code in-thread kernel-writes heap forks signals bad-pointers itself
	execs,$static,/bin/true,$top_srcdir/tests/vm/each,$top_srcdir/tests/vm/denials,/none"

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
	program/poly) command=(poly --script "$top_srcdir/tests/vm/checksum.sml") ;;
	program/php) command=(php -d opcache.enable_cli=1 -d opcache.jit=tracing
		-d opcache.jit_buffer_size=64M "$data/audit.php" 1) ;;
	program/node) command=(node "$data/audit.js" 1) ;;
	program/java) command=(java -cp . Audit 1) ;;
	# What they translate makes code of its own.
	agent/valgrind)
		command=(valgrind -q --tool=none --vgdb=no --smc-check=all "$hosts/converter"
			--allocator=anonymous --hex "$data/customers.dictionary" "$data/customers.hex")
		;;
	agent/qemu-static)
		command=(qemu-x86_64-static "$hosts/converter" --allocator=anonymous --hex --threads=2
			"$data/customers.dictionary" "$data/customers.hex")
		;;
	agent/static)
		# shellcheck disable=SC2206 # a list of words
		command=("$top_srcdir/tests/vm/each" "$static" $static_parts)
		;;
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

# run_options NAME: of jitmend run.
run_options() {
	case $1 in
	agent/*) echo --all ;;
	esac
}

# installed NAME: whether the workload's program is here, and what is to mend it.
installed() {
	[[ $1 != agent/* ]] || [ -x "$top_builddir/tools/jitmend-agent" ] || return
	case $1 in
	program/where) command -v luajit ;;
	agent/static) [ -x "$static" ] ;;
	agent/qemu-static) command -v qemu-x86_64-static ;;
	program/* | agent/*) command -v "${1#*/}" ;;
	esac >/dev/null
}

# list FILE: the lines of one of our tables.
list() {
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$top_srcdir/tests/vm/$1"
}

# The policies of denials, by the boot that has them.
ours='fedora opensuse all all-memfd'
debians='unconfined user'

# expectations: the file denials, a line for each workload and policy: WORKLOAD POLICY
# DENIED PROGRAMS, and mended or refused: what becomes of it with jitmend. PROGRAMS is how
# often a process may meet a denial then. Only those that match $VM_WORKLOADS, a pattern as case has it, if that is set.
expectations() {
	local name policy denied

	list denials | awk '
		NR == 1 { for (i = 2; i <= NF; i++) policy[i] = $i; next }
		{ for (i = 2; i <= NF; i++) if ($i != ".") print $1, policy[i], $i }' |
		while read -r name policy denied; do
			# shellcheck disable=SC2254 # a pattern
			case $name in ${VM_WORKLOADS:-*}) ;; *) continue ;; esac
			case $denied in
			*!) echo "$name $policy ${denied%!} 1 refused" ;;
			*\**) echo "$name $policy ${denied%\**} ${denied#*\*} mended" ;;
			-) echo "$name $policy - 0 mended" ;;
			*) echo "$name $policy $denied 1 mended" ;;
			esac
		done
}

# ways DENIED PROGRAMS: how a workload is run that alone is denied that. Where that is
# nothing, a run with jitmend shows it too.
ways() {
	case "$1 $2" in
	'- 0') echo auto ;;
	'- '*) echo auto list ;;
	*) echo alone auto list ;;
	esac
}

# tables_wanted: whether what is no workload of the file denials is run as well.
tables_wanted() {
	[ "${VM_WORKLOADS:-*}" = '*' ]
}

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
