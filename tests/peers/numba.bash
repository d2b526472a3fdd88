# numba.bash: of Numba's own tests, each of which compiles functions with LLVM: code
# that is called back from C, threads, closures, caches that are read back.

needs=/usr/bin/python3

lacking() {
	/usr/bin/python3 -c 'import numba.tests' 2>/dev/null || echo "python3-numba is not installed"
}

suite() {
	/usr/bin/python3 -m numba.runtests -v numba.tests.test_cfunc numba.tests.test_closure \
		numba.tests.test_ctypes numba.tests.test_recursion numba.tests.test_threadsafety \
		numba.tests.test_codegen numba.tests.test_gil numba.tests.test_return_values
}

# A test may print something between its name and the verdict.
verdicts() {
	sed -n \
		-e 's/^\(test_[^ ]*\) (\([^)]*\)) \.\.\. .*ok$/ok\t\2.\1/p' -e t \
		-e "s/^\(test_[^ ]*\) (\([^)]*\)) \.\.\. .*skipped.*/skip\t\2.\1/p" -e t \
		-e 's/^\(test_[^ ]*\) (\([^)]*\)) \.\.\. .*/fail\t\2.\1/p'
}
