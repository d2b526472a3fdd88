# pypy.py: hot loops in the parent and in a child, exceptions, qsort calling back.
import ctypes
import os
import sys

import pypyjit

compiled = []
pypyjit.set_compile_hook(compiled.append)


def step(total, i):
    return (total * 31 + i) % 1000003


def strings(total):
    words = []
    for i in range(60000):
        total = step(total, i)
        if i % 10 == 0:
            words.append(str(total))
    return step(total, len(",".join(words)))


def sieve(total):
    flags = bytearray(60000)
    for i in range(2, 60000):
        if not flags[i]:
            total = step(total, i)
            for j in range(2 * i, 60000, i):
                flags[j] = 1
    return total


def exceptions(total):
    for i in range(20000):
        try:
            total = step(total, 100 // (i % 7))
        except ZeroDivisionError:
            total = step(total, 1)
    return total


def callback(total):
    compare_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int),
                                    ctypes.POINTER(ctypes.c_int))
    numbers = (ctypes.c_int * 500)(*[(i * 7919) % 503 for i in range(500)])
    ctypes.CDLL(None).qsort(numbers, 500, 4, compare_type(lambda a, b: a[0] - b[0]))
    return step(total, numbers[250])


def everything(rounds):
    total = 0
    for _ in range(rounds):
        total = exceptions(sieve(strings(total)))
    return callback(total)


print(everything(20))
sys.stdout.flush()
child = os.fork()
if child == 0:
    print("child", everything(8))
    sys.stdout.flush()
    os._exit(7)
print(os.WEXITSTATUS(os.waitpid(child, 0)[1]))
print("parent", everything(8))
print("compiled:", "yes" if len(compiled) > 5 else "no")
