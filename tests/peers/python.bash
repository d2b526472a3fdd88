# python.bash: of Python's own tests those that touch what jitmend stands in front of:
# libffi's closures, mappings, signals, forks, threads, child processes. Python's
# regrtest runs them, and writes a report in JUnit's form.
#
# Left out: whatever needs a resource (network, cpu, large files): regrtest's default;
# of test_signal the stress tests, which send signals for half a minute.

needs=/usr/bin/python3

lacking() {
	/usr/bin/python3 -c 'import test.test_ctypes' 2>/dev/null || echo "libpython3-testsuite is not installed"
}

suite() {
	/usr/bin/python3 -m test --junit-xml junit.xml ${peers_only:+--matchfile "$peers_only"} --timeout 900 -i '*StressTest*' \
		test_ctypes test_mmap test_signal test_fork1 test_faulthandler test_thread \
		test_threading test_threadsignals test_subprocess test_posix test_exceptions test_ioctl test_select test_poll
}

verdicts() {
	/usr/bin/python3 "$peers/junit.py" junit.xml
}
