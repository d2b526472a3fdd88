# tools/local.mk: the wrapper script and its helpers.
#
# The script works from the build tree too: it finds there, beside itself, the
# helpers and src/preload/$LIB/libjitmend.so.

bin_SCRIPTS += tools/jitmend
EXTRA_DIST += tools/jitmend.in
CLEANFILES += tools/jitmend

tools/jitmend: tools/jitmend.in Makefile
	$(AM_V_GEN)$(MKDIR_P) tools && $(SED) \
		-e 's|@VERSION[@]|$(VERSION)|' \
		-e 's|@preloaddir[@]|$(libdir)/jitmend|' \
		-e 's|@helperdir[@]|$(pkglibexecdir)|' \
		$(srcdir)/tools/jitmend.in >$@-new && chmod +x $@-new && mv $@-new $@

# Looks at a program before it is run, and at the user's words.
pkglibexec_PROGRAMS += tools/jitmend-check
tools_jitmend_check_SOURCES = tools/check.c tools/check.h tools/check-chain.c \
	tools/check-elf.c tools/check-env.c tools/check-environment.c \
	tools/check-fits.c tools/check-log.c tools/check-rights.c \
	tools/check-shebang.c tools/check-help.c tools/libraries.h tools/libraries.c
tools_jitmend_check_CPPFLAGS = $(AM_CPPFLAGS) $(LARGEFILE_CPPFLAGS) -DDL_LIB='"$(DL_LIB)"'
tools_jitmend_check_LDADD = src/libengine.la

# A policy to test against.
if HAVE_LIBSECCOMP
pkglibexec_PROGRAMS += tools/jitmend-deny
tools_jitmend_deny_SOURCES = \
	tools/deny.c tools/deny.h tools/deny-options.c \
	tools/deny-policy.h tools/deny-policy.c tools/deny-filter.c \
	tools/deny-supervisor.h tools/deny-supervisor.c tools/deny-serve.c \
	tools/deny-rules.h tools/deny-rules.c \
	tools/deny-look.h tools/deny-look.c \
	tools/deny-report.h tools/deny-report.c
tools_jitmend_deny_CPPFLAGS = $(AM_CPPFLAGS) $(LARGEFILE_CPPFLAGS)
tools_jitmend_deny_CFLAGS = $(AM_CFLAGS) $(LIBSECCOMP_CFLAGS)
tools_jitmend_deny_LDADD = src/libengine.la $(LIBSECCOMP_LIBS)
endif

# What ELF files will ask for.
if HAVE_SCAN
pkglibexec_PROGRAMS += tools/jitmend-scan
endif
scan_parts = tools/scan.h tools/scan-kinds.c tools/scan-verdict.c \
	tools/scan-file.c tools/scan-dynamic.c tools/scan-functions.c tools/scan-code.c \
	tools/check.h tools/check-elf.c tools/check-fits.c
scan_cppflags = $(AM_CPPFLAGS) $(LARGEFILE_CPPFLAGS) -DDL_LIB='"$(DL_LIB)"' -DPRELOAD_FOLDER='"$(libdir)/jitmend"'
scan_libs = src/libengine.la $(LIBELF_LIBS)
if HAVE_ZYDIS
scan_libs += -lZydis
endif
tools_jitmend_scan_SOURCES = tools/scan.c tools/scan-options.c tools/scan-walk.c \
	tools/scan-pool.c tools/scan-progress.c tools/scan-libraries.c \
	tools/libraries.h tools/libraries.c \
	tools/scan-text.c tools/scan-json.c tools/scan-sarif.c \
	tools/json-values.h tools/json-values.c tools/sarif.h tools/sarif.c $(scan_parts)
tools_jitmend_scan_CPPFLAGS = $(scan_cppflags)
tools_jitmend_scan_CFLAGS = $(AM_CFLAGS) -pthread $(LIBELF_CFLAGS) $(JANSSON_CFLAGS)
tools_jitmend_scan_LDADD = $(scan_libs) $(JANSSON_LIBS)

# What bash offers behind `jitmend'.
dist_bashcomp_DATA = tools/completion/jitmend

# README's first command, and what it and tests/run have in common.
EXTRA_DIST += tools/demo tools/setup bootstrap

# For users of gdb and perf.
dist_pkgdata_DATA = tools/jitmend.gdb tools/perf.sed
