# numba.bash: Numba: Python functions compiled by LLVM as they are called.
# Not every python3 in PATH need be the one that Debian's numba is for.

needs=python3

python() {
	local python

	for python in python3 /usr/bin/python3; do
		! "$python" -c 'import numba' 2>/dev/null || break
	done
	"$python" "$@"
}

lacking() {
	python -c 'import numba' 2>/dev/null || echo "python3 has no numba"
}

load() {
	python "$zoo/numba_load.py"
}

jit_off() {
	NUMBA_DISABLE_JIT=1 python "$zoo/numba_load.py"
}
