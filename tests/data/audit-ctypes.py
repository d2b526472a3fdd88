# C calls back into Python, through a closure that libffi makes.
import ctypes

compare = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int)
)
numbers = (ctypes.c_int * 6)(5, 3, 1, 4, 2, 6)
ctypes.CDLL(None).qsort(
    numbers, len(numbers), ctypes.sizeof(ctypes.c_int), compare(lambda a, b: a[0] - b[0])
)
print(list(numbers))
