# tests/faults/local.mk: each system call of the library's fails in turn, and each
# limit is met. Takes minutes, so make check leaves it out.

EXTRA_PROGRAMS += tests/faults/host
fault_programs = tests/faults/host
EXTRA_DIST += tests/faults/run tests/faults/limits.bats
if HAVE_LIBDW
EXTRA_PROGRAMS += tests/faults/faults
fault_programs += tests/faults/faults
endif
tests_faults_faults_SOURCES = tests/faults/faults.c \
	tests/faults/trace.h tests/faults/trace.c tests/faults/callers.h tests/faults/callers.c \
	tests/faults/judge.h tests/faults/judge.c \
	tools/deny-rules.h tools/deny-rules.c tools/deny-look.h tools/deny-look.c
tests_faults_faults_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tools
tests_faults_faults_CFLAGS = $(AM_CFLAGS) $(LIBDW_CFLAGS)
tests_faults_faults_LDADD = $(LIBDW_LIBS)
tests_faults_host_SOURCES = tests/faults/host.c $(code_host_sources)
tests_faults_host_CFLAGS = $(AM_CFLAGS) -pthread
if HAVE_LIBSECCOMP
EXTRA_PROGRAMS += tests/faults/without
fault_programs += tests/faults/without
endif
if HAVE_JANSSON
fault_programs += tests/journal-check
endif
tests_faults_without_SOURCES = tests/faults/without.c
tests_faults_without_CFLAGS = $(AM_CFLAGS) $(LIBSECCOMP_CFLAGS)
tests_faults_without_LDADD = $(LIBSECCOMP_LIBS)

.PHONY: check-faults
check-faults: all $(fault_programs)
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		BATS='$(BATS)' FULL='$(FULL)' $(top_srcdir)/tests/faults/run $(NAMES)
