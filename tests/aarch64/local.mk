# tests/aarch64/local.mk: jitmend built for aarch64 and tried under qemu's user-mode
# emulator, for those who have both: tools/setup --for=aarch64 installs them. NAMES=...
# says what is tried.

EXTRA_DIST += tests/aarch64/packages tests/aarch64/sources tests/aarch64/fetch \
	tests/aarch64/skips tests/aarch64/inside tests/aarch64/run tests/aarch64/cross.bats \
	tests/aarch64/programs.bats

EXTRA_PROGRAMS += tests/unit/aarch64 tests/hosts/aarch64
tests_unit_aarch64_SOURCES = tests/unit/aarch64.c tests/unit/tap.h
tests_unit_aarch64_LDADD = src/libengine.la
tests_hosts_aarch64_SOURCES = tests/hosts/aarch64.c
tests_hosts_aarch64_CFLAGS = $(AM_CFLAGS) -pthread

# What reads the journals that its tests leave behind.
if HAVE_JANSSON
aarch64_checker = tests/journal-check
endif

.PHONY: check-aarch64
check-aarch64: all $(aarch64_checker)
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		$(top_srcdir)/tests/aarch64/run $(NAMES)

clean-local: clean-aarch64
.PHONY: clean-aarch64
clean-aarch64:
	rm -rf aarch64
