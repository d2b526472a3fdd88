# doc/local.mk: man pages, the cookbook and the maintainers' guide.

dist_man_MANS += doc/jitmend.1 doc/jitmend-deny.1 doc/jitmend-report.1 doc/jitmend-scan.1 doc/libjitmend.7 doc/jitmend-journal.5
EXTRA_DIST += doc/HACKING doc/MEASUREMENTS README NEWS

# What the pages and the cookbook show, tried.
dist_doc_DATA = doc/COOKBOOK
TESTS += tests/cookbook.bats tests/manual.bats
EXTRA_DIST += tests/cookbook.bats tests/manual.bats
