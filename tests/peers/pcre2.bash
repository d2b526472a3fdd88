# pcre2.bash: PCRE2's own tests, with pcre2test and pcre2grep as installed: each of
# RunTest's is run with and without its JIT.

needs='pcre2test pcre2grep'

lacking() {
	"$peers/unpack" pcre2 || echo "no source package of pcre2"
}

# RunTest looks for the programs where it is.
prepare() {
	"$peers/unpack" pcre2 '*/RunTest' '*/RunGrepTest' '*/testdata/*'
	mv pcre2-*/* .
	ln -s "$(command -v pcre2test)" "$(command -v pcre2grep)" .
	chmod +x RunTest RunGrepTest
}

suite() {
	local test bits

	for test in {0..26}; do
		for bits in 8 16 32; do
			tell "RunTest $test -$bits" ./RunTest "$test" "-$bits"
		done
	done
	tell RunGrepTest ./RunGrepTest
}
