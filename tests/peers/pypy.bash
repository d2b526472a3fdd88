# pypy.bash: of PyPy's own version of Python's tests those that make its JIT work, and
# those for signals, mappings, forks, threads and ctypes.
#
# Left out: whatever needs a resource (network, cpu, large files): regrtest's default.

needs='pypy3 /usr/bin/python3'

lacking() {
	pypy3 -c 'import test.test_fork1' 2>/dev/null || echo "pypy3-lib-testsuite is not installed, or lacks files"
}

suite() {
	pypy3 -m test --junit-xml junit.xml ${peers_only:+--matchfile "$peers_only"} --timeout 900 test_generators test_mmap test_signal \
		test_fork1 test_thread test_exceptions test_ctypes test_re test_dict \
		test_set test_sort test_itertools test_deque
}

verdicts() {
	/usr/bin/python3 "$peers/junit.py" junit.xml
}
