# ctypes_load.py: qsort calls Python functions, more closures than fit in a page.
import ctypes
import os
import sys
import threading

libc = ctypes.CDLL(None)
compare_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int),
                                ctypes.POINTER(ctypes.c_int))


def comparison(k):
    return compare_type(lambda a, b: (a[0] * k) % 1009 - (b[0] * k) % 1009)


closures = [comparison(k) for k in range(1, 300)]


def sort(compare):
    numbers = (ctypes.c_int * 200)(*[(i * 7919) % 1009 for i in range(200)])
    libc.qsort(numbers, 200, 4, compare)
    return numbers[100]


def some(first):
    return sum(sort(c) for c in closures[first::20])


print(some(0))
sums = [0] * 3
threads = [threading.Thread(target=lambda i=i: sums.__setitem__(i, some(i + 1))) for i in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*sums)
sys.stdout.flush()
child = os.fork()
if child == 0:
    closures[0:20] = [comparison(k) for k in range(400, 420)]
    print("child", some(0))
    sys.stdout.flush()
    os._exit(5)
print(os.WEXITSTATUS(os.waitpid(child, 0)[1]), some(7))
