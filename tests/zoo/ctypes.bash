# ctypes.bash: libffi's closures, through Python's ctypes: C calls back, also in
# threads, and in a child with closures of its own. Refused, libffi falls back to
# two views of a memfd; after a fork the child's closures overwrite the parent's.

needs=python3

load() {
	python3 "$zoo/ctypes_load.py"
}
