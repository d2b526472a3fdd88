# polyml.bash: Poly/ML's own tests: programs that it compiles to machine code and runs.
# poly itself has text relocations.

needs=poly
run_options=--audit-loader

lacking() {
	"$peers/unpack" polyml || echo "no source package of polyml"
}

prepare() {
	"$peers/unpack" polyml '*/Tests/*'
	mkdir -p Succeed/Fail Fail/Succeed
	mv polyml-*/Tests/Succeed Succeed
	mv polyml-*/Tests/Fail Fail
	mv polyml-*/Tests/RunTests.sml .
}

# Names come twice: below Succeed and below Fail.
suite() {
	local folder

	for folder in Succeed Fail; do
		echo "runTests \"$folder\";" | poly -q --use RunTests.sml | sed "s/^Test/$folder\/Test/"
	done
}

# What a thread of an earlier test says may come between a name and its verdict.
verdicts() {
	sed -n -e 's/^\(.*\.ML\) => /\1\n/' -e T -e 'h; s/\n.*//; x; s/.*\n//' -e ':next' \
		-e '/Passed$/ { x; s/^/ok\t/p; b }' -e '/Failed!!$/ { x; s/^/fail\t/p; b }' -e 'n; b next'
}
