# Reads what strace wrote down of a program, for audit.bats: the calls between
# the last two marks (getppid), with every address told as the mapping that it
# lies in, numbered as they come, and the distance from its start.
import re
import sys

ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
MAPPED = re.compile(r"(?:mmap\([^,]*, (\d+)|mremap\([^,]*, \d+, (\d+)|shmat\().*= (0x[0-9a-f]+)")

mappings = []  # start, length


def place(match):
    address = int(match.group(), 16)
    for number in reversed(range(len(mappings))):
        start, length = mappings[number]
        if start <= address < start + length:
            return f"<{number}+{address - start}>"
    # The program's own: its heap, its stack. Only which page it is matters.
    mappings.append((address & -4096, 4096))
    return f"<{len(mappings) - 1}+{address & 4095}>"


with open(sys.argv[1]) as trace:
    parts = re.split(r"^getppid.*\n", trace.read(), flags=re.M)
for line in parts[-2].splitlines():
    mapped = MAPPED.match(line)
    call = ADDRESS.sub(place, line.rpartition(" = ")[0]).rstrip()
    if mapped:
        mappings.append((int(mapped[3], 16), int(mapped[1] or mapped[2] or 4096)))
    call = re.sub(r"(?<=shmat\()\d+", "id", call)
    print(call, "=", ADDRESS.sub(place, line.rpartition(" = ")[2]))
