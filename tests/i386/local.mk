# tests/i386/local.mk: jitmend built and tried in a Debian of i386, for those who have one:
# tools/setup --for=i386 makes it. WHOLE=1 tries all of it, NAMES=... says what.

EXTRA_DIST += tests/i386/packages tests/i386/sources tests/i386/zoo tests/i386/fetch \
	tests/i386/inside tests/i386/run

.PHONY: check-i386
check-i386: all
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		$(top_srcdir)/tests/i386/run $(if $(WHOLE),--whole) $(NAMES)
