# java.bash: of OpenJDK's tests of HotSpot's compilers those for what generated code has
# to get right when it meets something unforeseen: exceptions, uncommon traps, replacement
# on the stack, inlining; the whole: the client compiler, calls into native code and
# the runtime, too. Debian's jtreg runs them, in virtual machines that are mended as
# it is.
#
# Left out: nearly all of the 1,500 others, each of which starts machines of its own.

needs=javac
jtreg=/usr/share/jtreg/bin/jtreg

lacking() {
	[ -x "$jtreg" ] || echo "jtreg is not installed"
	"$peers/unpack" 'openjdk-[0-9]*' || echo "no source package of openjdk"
}

folders=(exceptions inlining interpreter linkage osr uncommontrap)
[ -z "$peers_whole" ] || folders+=(c1 controldependency dependencies jsr292 profiling rangechecks regalloc runtime)

# The groups name folders that are not unpacked.
prepare() {
	"$peers/unpack" 'openjdk-[0-9]*' '*/test/hotspot/jtreg/TEST.ROOT' '*/test/lib/*' '*/test/jtreg-ext/*' \
		"${folders[@]/#/*/test/hotspot/jtreg/compiler/}" '*/test/hotspot/jtreg/compiler/whitebox/*'
	mv openjdk-*/* .
	sed -i '/^groups=/d' test/hotspot/jtreg/TEST.ROOT
}

# jtreg gives its machines an environment of few words: what jitmend run has set has to
# be among them. A time-out of jtreg's would tell of the machine.
suite() {
	local jdk variable kept=()

	for variable in LD_PRELOAD ${!JITMEND_@}; do
		kept+=("-e:$variable")
	done
	jdk=$(dirname "$(dirname "$(realpath "$(command -v javac)")")")
	cd test/hotspot/jtreg || return
	"$jtreg" -agentvm -concurrency:1 -timeoutFactor:10 -ignore:quiet -verbose:summary "${kept[@]}" \
		-w:../../../work -r:../../../report -jdk:"$jdk" "${folders[@]/#/compiler/}"
}

verdicts() {
	sed -n -e 's/^Passed: \(.*\)/ok\t\1/p' -e 's/^\(FAILED\|Error\): \(.*\)/fail\t\2/p'
}
