# Reads jitmend's journals, JSON lines, for audit.bats.
#
#   read-journal.py requests FILE...
#       each kind of request once: CALL PROTECTION DANGER ANSWER [ERRNO] DONE
#   read-journal.py functions MODULE FILE...
#       for each request the functions on the stack that lie in MODULE, which has
#       debug information, innermost first: "request CALL: NAME NAME...", and the
#       same of where the memory came from: "origin CALL: NAME NAME..."
import json
import os
import subprocess
import sys


def requests(paths):
    for path in paths:
        with open(path) as journal:
            for line in journal:
                event = json.loads(line)
                if event["event"] == "request":
                    yield event


def print_requests(paths):
    keys = ("call", "protection", "danger", "answer", "errno", "done")
    for line in sorted({" ".join(e[k] for k in keys if k in e) for e in requests(paths)}):
        print(line)


def functions(module, stack):
    # Return addresses: the call is the instruction before.
    offsets = [
        hex(int(frame["offset"], 16) - 1)
        for frame in stack
        if "module" in frame and os.path.samefile(frame["module"], module)
    ]
    if not offsets:
        return []
    # A line with the function and one with the place, inlined ones first.
    answer = subprocess.run(
        ["addr2line", "-f", "-i", "-e", module, *offsets],
        stdout=subprocess.PIPE, check=True, text=True,
    )
    return answer.stdout.splitlines()[::2]


def print_functions(module, paths):
    for event in requests(paths):
        print("request", event["call"] + ":", *functions(module, event["stack"]))
        origin = event.get("origin")
        if origin:
            print("origin", origin["call"] + ":", *functions(module, origin["stack"]))


if sys.argv[1] == "requests":
    print_requests(sys.argv[2:])
else:
    print_functions(sys.argv[2], sys.argv[3:])
