# Prints a journal, of as many lines as it is told, that is the same each time.
#
#   make-journal.py LINES PROCESSES SITES
import json
import random
import sys

DANGERS = ["execmem", "execmem", "execheap", "execmod", "devzero", "execstack"]


def line(event, time, pid, **fields):
    print(json.dumps(dict(v=1, event=event, time=round(time, 6), pid=pid, tid=pid,
                          comm=f"program-{pid % 4}", **fields, message="-"),
                     separators=(",", ":")))


def request(time, pid, site):
    danger = DANGERS[site % len(DANGERS)]
    address = hex((0x55 if danger == "execheap" else 0x7f) * 2**40 + pid * 2**28 + site**2 % 5000 * 4096)
    length = 4096 * (1 + site % 16)
    stack = [dict(module=f"/usr/lib/lib{site % 3}.so", offset=hex(0x1000 + site * 64)),
             dict(module="/usr/bin/program", offset="0x400")]
    line("request", time, pid, site=site, call="mprotect", address=address, length=length,
         protection="rwx", piece=dict(address=address, length=length), danger=danger,
         answer="refused", errno="EACCES",
         done="not-mended" if danger == "execstack" else "viewed", stack=stack)


lines, processes, sites = map(int, sys.argv[1:])
random.seed(1)
time = 1795291929.0
counts = {}
for pid in range(1, processes + 1):
    line("start", time, pid, jitmend="0.1.0", program="/usr/bin/program", kernel="6.1.0",
         machine="x86_64", mode="mend", policy=["auto"], policy_from="requests", mdwe=False,
         unwinder="libunwind", frames=16)
for _ in range(lines - processes):
    pid = min(int(random.expovariate(.3)) + 1, processes)
    site = min(int(random.expovariate(8 / sites)) + 1, sites)
    time += random.expovariate(3000)
    known = counts.get((pid, site), 0)
    counts[pid, site] = known + 1 if known else 1
    if known:
        line("count", time, pid, site=site, count=known + 1)
    else:
        request(time, pid, site)
