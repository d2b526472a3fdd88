# A hot loop and strings, for PyPy. The argument says how many rounds.
import sys


def step(total, i):
    return (total * 31 + i) % 1000003


total = 0
for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 1):
    words = []
    for i in range(300000):
        total = step(total, i)
        if i % 10 == 0:
            words.append(str(total))
    total = step(total, len(",".join(words)))
print(total)
