"""read-probe.py: reads what jitmend probe --format=json prints.

    read-probe.py split PAGE FILE...

each FILE is held against the JSON section of the man page PAGE, and beside it are
written

    FILE.rows    "NAME: ANSWER" of each request, as tests/hosts/ask has it
    FILE.cures   "NAME ok" or "NAME refused": what jitmend run would make of it
    FILE.words   "WORD yes", "no" or "unknown" for each policy
    FILE.flat    "a.b.0.c=VALUE", a line for each value, as JSON

    read-probe.py kill PROGRAM [ARG...]
    read-probe.py fileless PROGRAM [ARG...]

put a filter in force, for x86_64: SIGSYS for mprotect with PROT_EXEC; or EACCES for
memfd_create, and for openat with O_TMPFILE.
"""
import ctypes
import json
import os
import re
import struct
import sys

ANSWERS = {"ok", "refused", "killed", "does-not-run", "unavailable", "not-asked"}


def rows(report):
    words = {"ok": "ok", "does-not-run": "wrong", "unavailable": "unavailable",
             "not-asked": "not-asked"}
    for row in report["requests"]:
        answer = words.get(row["answer"]) or row["errno"] or "SIG" + row["signal"]
        yield f"{row['name']}: {answer}"


def cures(report):
    for row in report["requests"]:
        if not row["own"]:
            works = row["rung"] == 0 or (row["rung"] and row["cure"])
            yield f"{row['name']} {'ok' if works else 'refused'}"


def words(report):
    names = {True: "yes", False: "no", None: "unknown"}
    for name, policy in report["policies"].items():
        yield f"{name} {names[policy['refused']]}"


def flat(value, path=""):
    if isinstance(value, (dict, list)) and value:
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in inner:
            yield from flat(member, f"{path}.{name}" if path else str(name))
    else:
        yield f"{path}={json.dumps(value)}"


def members(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from members(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from members(inner)


def check(report, page):
    """Every member is in the man page, and it names no other."""
    section = page.split(".SH JSON")[1].split(".SH EXIT")[0]
    named = set(re.findall(r"^\.BR? (\w[\w\\-]*)", section, re.M))
    named = {name.replace("\\-", "-").replace("\\c", "") for name in named}
    there = set(members(report))
    assert there <= named, f"not in the man page: {there - named}"
    top = set(re.findall(r"^\.TP\n\.B (\w+)", section, re.M))
    assert top == set(report), top ^ set(report)
    assert report["v"] == 1
    others = ANSWERS | {"uname", "enforcing", "permissive", "absent", "unclear", "tried", "asked",
                        "read", "jitmend-journal", "null", "LD_PRELOAD"}
    if report["program"] is not None:
        assert named <= there | others, f"named, but not there: {named - there - others}"
    for row in report["requests"] + report["backings"]:
        assert row["answer"] in ANSWERS, row
        assert row["how"] in {"tried", "asked", "read", None}, row
        assert (row["answer"] == "not-asked") == (row["how"] is None), row
        assert (row["answer"] == "refused") <= (row["errno"] is not None), row
        assert (row["answer"] == "killed") <= (row["signal"] is not None), row
    for row in report["requests"]:
        assert not row["own"] or row["rung"] is None, row
        assert (row["answer"] == "ok" and not row["own"]) <= (row["rung"] == 0), row


def split(page, files):
    with open(page, encoding="utf-8") as stream:
        page = stream.read()
    for path in files:
        with open(path, encoding="utf-8") as stream:
            report = json.load(stream)
        check(report, page)
        for part in rows, cures, words, flat:
            with open(f"{path}.{part.__name__}", "w", encoding="utf-8") as stream:
                stream.writelines(line + "\n" for line in part(report))


def step(code, jump_true, jump_false, value):
    return struct.pack("HBBI", code, jump_true, jump_false, value)


LOAD, IF_EQUAL, IF_SET, ANSWER = 0x20, 0x15, 0x45, 0x06
NUMBER, THIRD = 0, 16 + 2 * 8  # in struct seccomp_data
KILL, ALLOW, REFUSE = 0x80000000, 0x7fff0000, 0x00050000 | 13
FILTERS = {
    "kill": [
        step(LOAD, 0, 0, NUMBER),
        step(IF_EQUAL, 0, 3, 10),        # mprotect
        step(LOAD, 0, 0, THIRD),
        step(IF_SET, 0, 1, 4),           # PROT_EXEC
        step(ANSWER, 0, 0, KILL),
        step(ANSWER, 0, 0, ALLOW),
    ],
    "fileless": [
        step(LOAD, 0, 0, NUMBER),
        step(IF_EQUAL, 3, 0, 319),       # memfd_create
        step(IF_EQUAL, 0, 3, 257),       # openat
        step(LOAD, 0, 0, THIRD),
        step(IF_SET, 0, 1, 0o20000000),  # O_TMPFILE, without O_DIRECTORY
        step(ANSWER, 0, 0, REFUSE),
        step(ANSWER, 0, 0, ALLOW),
    ],
}


def run_under(steps, command):
    program = b"".join(steps)
    buffer = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, ctypes.c_char_p(header), 0, 0) == 0, ctypes.get_errno()
    os.execvp(command[0], command)


if sys.argv[1] in FILTERS:
    run_under(FILTERS[sys.argv[1]], sys.argv[2:])
split(sys.argv[2], sys.argv[3:])
