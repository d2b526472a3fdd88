# tests/fuzz/local.mk: random walks, and harnesses of libFuzzer.

check_PROGRAMS += tests/fuzz/walk
tests_fuzz_walk_SOURCES = tests/fuzz/walk.h tests/fuzz/walk.c tests/fuzz/sequence.c \
	tests/fuzz/said.c tests/fuzz/shadow.c tests/fuzz/files.c tests/fuzz/faults.c \
	tests/fuzz/map.c tests/fuzz/touch.c tests/fuzz/code.c tests/fuzz/process.c \
	tests/hosts/code.h tests/hosts/code-bytes.c tests/hosts/code-words.c $(host_sources)
tests_fuzz_walk_CFLAGS = $(AM_CFLAGS) -pthread
EXTRA_DIST += tests/fuzz/run tests/fuzz/seeds tests/fuzz/run-parsers tests/fuzz/parse

# Walks that found something once, and fresh ones, whose seeds are printed: FUZZ says
# how many (--first=SEED --count=1 --modes=NAME --ops=N: the same again).
FUZZ = --count=30 --ops=10000
.PHONY: check-fuzz check-parsers
check-fuzz: all tests/fuzz/walk
	top_builddir='$(abs_top_builddir)' $(top_srcdir)/tests/fuzz/run $(FUZZ) \
		$(top_srcdir)/tests/fuzz/seeds/*

# libFuzzer, for those who have clang's: on what reads files and words.
SECONDS_EACH = 10
check-parsers: all
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		$(top_srcdir)/tests/fuzz/run-parsers --seconds=$(SECONDS_EACH)
