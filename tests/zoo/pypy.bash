# pypy.bash: PyPy: loops that become traces, C calling back, a fork.
# The load counts the loops that were compiled.

needs=pypy3

load() {
	pypy3 "$zoo/pypy.py"
}

jit_off() {
	pypy3 --jit off "$zoo/pypy.py"
}
