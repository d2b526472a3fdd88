"""junit.py: what a report in JUnit's form says of each test, as tests/peers/run wants
it: the verdict, a tab, the name."""

import sys
import xml.etree.ElementTree

WORDS = {"failure": "fail", "error": "error", "skipped": "skip"}

for case in xml.etree.ElementTree.parse(sys.argv[1]).iter("testcase"):
    verdict = next((WORDS[part.tag] for part in case if part.tag in WORDS), "ok")
    name = ".".join(filter(None, (case.get("classname"), case.get("name"))))
    print(verdict, " ".join(name.split()), sep="\t")
