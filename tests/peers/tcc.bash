# tcc.bash: TinyCC's own programs, each compiled to memory and run there (tests2 of its
# source), against the installed tcc.

needs='tcc make gcc'
# One of them loads a library with text relocations.
run_options=--audit-loader

lacking() {
	"$peers/unpack" tcc || echo "no source package of tcc"
}

prepare() {
	"$peers/unpack" tcc configure VERSION Makefile 'tests/*' 'include/*' '*.h' '*.c' \
		'texi2pod.pl' 'tcc-doc.texi'
	./configure
}

# The tests' own rules say how each is run; make gives them one by one, so that the
# verdict is its status.
suite() {
	local source test

	cd tests/tests2 || return
	for source in [0-9]*_*.c; do
		test=${source%.c}
		tell "$test" make -s --no-print-directory TCC=tcc "$test.test"
	done
}
