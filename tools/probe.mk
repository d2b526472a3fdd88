# tools/probe.mk: jitmend-probe, which finds out what is refused here, its page and
# its tests.

pkglibexec_PROGRAMS += tools/jitmend-probe
probe_sources = tools/probe.h tools/probe-requests.c tools/probe-context.c \
	tools/probe-judge.c tools/probe-try.c tools/deny-rules.h tools/deny-rules.c
tools_jitmend_probe_SOURCES = tools/probe.c tools/probe-text.c tools/probe-json.c \
	tools/probe-program.c tools/check.h tools/check-rights.c $(probe_sources)
tools_jitmend_probe_CPPFLAGS = $(AM_CPPFLAGS) $(LARGEFILE_CPPFLAGS)
tools_jitmend_probe_LDADD = src/libengine.la

dist_man_MANS += doc/jitmend-probe.1

TESTS += tests/probe.bats tests/unit/probe
EXTRA_DIST += tests/probe.bats tests/data/read-probe.py
check_PROGRAMS += tests/unit/probe
tests_unit_probe_SOURCES = tests/unit/probe.c tests/unit/tap.h $(probe_sources)
tests_unit_probe_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tools
tests_unit_probe_LDADD = src/libengine.la
