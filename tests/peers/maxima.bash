# maxima.bash: Maxima's own tests, in GCL: its functions are translated to Lisp, some
# compiled to machine code by way of gcc and loaded.

needs=maxima

lacking() {
	[ -n "$(find /usr/share/maxima -name rtest1.mac 2>/dev/null)" ] || echo "maxima-test is not installed"
}

suite() {
	maxima --very-quiet --batch-string='run_testsuite(display_known_bugs = false,
		tests = ["rtest1", "rtest2", "rtest4", "rtest5", "rtest6", "rtest6a", "rtest7",
		"rtest9", "rtest9a", "rtest10", "rtest11", "rtest12", "rtest13", "rtest13s",
		"rtestode", "rtesthyp", "rtest_translator",
		"rtestifthen", "rtest_trig", "rtest_equal", "rtest_allnummod"]);'
}

# Of a file it says how many of its tests passed.
verdicts() {
	sed -n 's/^.*Running tests in \([a-z0-9_]*\): *\([0-9]*\)\/\([0-9]*\) tests passed.*/\1 \2 \3/p' |
		awk '{ print ($2 == $3 ? "ok" : $2 " of " $3) "\t" $1 }'
}
