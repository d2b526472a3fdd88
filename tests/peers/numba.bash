# numba.bash: of Numba's own tests, each of which compiles functions with LLVM: code
# that is called back from C, threads, closures; the whole: caches that are read back,
# recursion, the interpreter's lock.

needs=/usr/bin/python3

lacking() {
	/usr/bin/python3 -c 'import numba.tests' 2>/dev/null || echo "python3-numba is not installed"
}

suite() {
	local tests=(numba.tests.test_{cfunc,closure,ctypes,threadsafety})

	[ -z "$peers_whole" ] || tests+=(numba.tests.test_{recursion,codegen,gil,return_values})
	/usr/bin/python3 -m numba.runtests -v "${tests[@]}"
}

# A test may print something between its name and the verdict.
verdicts() {
	sed -n \
		-e 's/^\(test_[^ ]*\) (\([^)]*\)) \.\.\. .*ok$/ok\t\2.\1/p' -e t \
		-e "s/^\(test_[^ ]*\) (\([^)]*\)) \.\.\. .*skipped.*/skip\t\2.\1/p" -e t \
		-e 's/^\(test_[^ ]*\) (\([^)]*\)) \.\.\. .*/fail\t\2.\1/p'
}
