# Reads what jitmend report writes for programs, for report.bats.
#
#   read-report.py json FILE    checks the fields that jitmend-report(1) promises,
#                               and prints: requests SITES PROCESSES BROKEN
#   read-report.py sites FILE   a line for each call site: COUNT DANGER FUNCTION FILE:LINE
#   read-report.py sarif FILE   checks what SARIF 2.1.0 demands of what is used here,
#                               and prints for each result: LEVEL RULE URI:LINE
import json
import re
import sys
from urllib.parse import unquote


def must(condition, words):
    if not condition:
        sys.exit(f"{sys.argv[2]}: {words}")


def check_frame(frame):
    kinds = [kind for kind in ("module", "unknown", "more") if kind in frame]
    must(len(kinds) == 1, f"a frame is of one kind: {frame}")
    must(("offset" in frame) == ("module" in frame), f"an offset is a module's: {frame}")
    must("line" not in frame or frame["file"], f"a line without file: {frame}")
    for spot in frame.get("inlined_into", []):
        must(spot.keys() <= {"function", "file", "line"}, f"no spot: {spot}")


def check_site(site, report):
    must(sum(way["count"] for way in site["ways"]) == site["count"], "ways do not add up")
    must(sum(p["count"] for p in site["processes"]) == site["count"], "processes do not add up")
    must(all(p["process"] < len(report["processes"]) for p in site["processes"]), "index")
    must(site["advice"] in report["advice"], "a site without advice")
    must(site["first"] <= site["last"], "times")
    for way in site["ways"]:
        must(("errno" in way) == (way["answer"] == "refused"), "errno")
        for frame in way["stack"] + way.get("origin", {}).get("stack", []):
            check_frame(frame)


def read_json(report):
    must(report["v"] == 1, "version")
    summary = report["summary"]
    counts = [site["count"] for site in report["sites"]]
    must(counts == sorted(counts, reverse=True), "not the most frequent first")
    must(sum(counts) == summary["requests"], "sites do not add up")
    must(sum(m[4] for m in report["timeline"]["marks"]) == summary["requests"], "timeline")
    for start, end, process, site, danger, count in report["memory"]["ranges"]:
        must(int(start, 16) < int(end, 16) and count > 0, "a range is none")
    for site in report["sites"]:
        check_site(site, report)
    print(summary["requests"], len(counts), summary["processes"], summary["broken"])


def read_sites(report):
    for site in report["sites"]:
        frame = site["ways"][0]["stack"][0]
        print(site["count"], site["danger"], frame.get("function", "-"),
              f'{frame.get("file", "-")}:{frame.get("line", "-")}')


def check_message(value):
    must(isinstance(value.get("text"), str) and value["text"], f"no message: {value}")


def check_location(location):
    must(location.keys() <= {"physicalLocation", "logicalLocations"}, "a location's names")
    physical = location.get("physicalLocation")
    if not physical:
        return "-"
    uri = physical["artifactLocation"]["uri"]
    must(re.fullmatch(r"(file://)?[A-Za-z0-9._~/+@,=%-]+", uri), f"no URI: {uri}")
    line = physical.get("region", {}).get("startLine")
    must(line is None or line >= 1, "lines are counted from 1")
    return f"{unquote(uri)}:{line}"


# Sections 3.13 (log), 3.14 (run), 3.18 (tool), 3.19 (driver), 3.27 (result), 3.44
# (stack), 3.49 (rule) of the standard.
def read_sarif(log):
    must(log["version"] == "2.1.0" and log["$schema"].startswith("https://"), "head")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    must(driver["name"], "a tool has a name")
    ids = [rule["id"] for rule in driver["rules"]]
    must(len(ids) == len(set(ids)), "rules are unique")
    for rule in driver["rules"]:
        for text in ("shortDescription", "fullDescription", "help"):
            check_message(rule[text])
    for invocation in run["invocations"]:
        notes = invocation["toolExecutionNotifications"]
        must(invocation["executionSuccessful"] == (not notes), "successful, or with notes")
        for note in notes:
            check_message(note["message"])
    for result in run["results"]:
        must(ids[result["ruleIndex"]] == result["ruleId"], "ruleIndex")
        must(result["level"] in ("error", "warning", "note"), "level")
        must(result["occurrenceCount"] >= 1, "occurrenceCount")
        must(all(isinstance(p, str) for p in result["partialFingerprints"].values()), "prints")
        check_message(result["message"])
        for stack in result.get("stacks", []):
            for frame in stack["frames"]:
                check_location(frame["location"])
        print(result["level"], result["ruleId"], check_location(result["locations"][0]))


with open(sys.argv[2]) as file:
    {"json": read_json, "sites": read_sites, "sarif": read_sarif}[sys.argv[1]](json.load(file))
