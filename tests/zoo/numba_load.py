# numba_load.py: compiled loops over arrays, and a compiled function that C calls.
# (Were it numba.py, `import numba' would find it.)
import ctypes
import os

import numba
import numpy


@numba.njit
def step(total, i):
    return (total * 31 + i) % 1000003


@numba.njit
def hot(rounds):
    total = 0
    for i in range(rounds):
        total = step(total, i)
    return total


@numba.njit
def smooth(numbers):
    for i in range(1, len(numbers) - 1):
        numbers[i] = (numbers[i - 1] + numbers[i] + numbers[i + 1]) // 3
    return numbers.sum()


def compare(a, b):
    return a[0] - b[0]


print(hot(300000))
print(smooth(numpy.arange(20000) * 7919 % 10007))

if os.environ.get("NUMBA_DISABLE_JIT") != "1":
    pointer = numba.types.CPointer(numba.types.int32)
    compiled = numba.cfunc(numba.types.int32(pointer, pointer))(compare)
    numbers = numpy.arange(1000, dtype=numpy.int32) * 7919 % 1009
    ctypes.CDLL(None).qsort(ctypes.c_void_p(numbers.ctypes.data), ctypes.c_size_t(1000),
                            ctypes.c_size_t(4), ctypes.c_void_p(compiled.address))
    print(numbers[500], (numbers[1:] >= numbers[:-1]).all())
print("compiled:", "yes" if getattr(hot, "nopython_signatures", None) else "no")
