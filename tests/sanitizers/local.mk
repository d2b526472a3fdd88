# tests/sanitizers/local.mk: the same sources looked at by other eyes.
#
# check-sanitizers: unit tests and tools with AddressSanitizer and
# UndefinedBehaviorSanitizer, threads in the engine with ThreadSanitizer, unit tests in
# valgrind. check-static: cppcheck, clang-tidy and scan-build.

EXTRA_PROGRAMS += tests/sanitizers/engine
tests_sanitizers_engine_SOURCES = tests/sanitizers/engine.c
tests_sanitizers_engine_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_sanitizers_engine_CFLAGS = $(AM_CFLAGS) -pthread
tests_sanitizers_engine_LDADD = src/libengine.la

EXTRA_DIST += tests/sanitizers/run tests/sanitizers/static tests/sanitizers/cppcheck.txt \
	.clang-tidy tools/.clang-tidy

sanitized_tests = $(unit_tests) tests/unit/deny-rules
address_cflags = -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
thread_cflags = -g -O1 -fsanitize=thread

.PHONY: check-sanitizers
check-sanitizers: all $(sanitized_tests)
	$(build_variant) $(variants)/address $(sanitized_tests) tools/jitmend-check \
		tools/jitmend-deny CFLAGS='$(address_cflags)'
	$(build_variant) $(variants)/thread tests/sanitizers/engine CFLAGS='$(thread_cflags)'
	top_builddir='$(abs_top_builddir)' VARIANTS='$(variants)' \
		UNIT_TESTS='$(sanitized_tests)' $(top_srcdir)/tests/sanitizers/run

.PHONY: check-static
check-static: all
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		SCANNED=$(variants)/scan $(top_srcdir)/tests/sanitizers/static
