# tests/storms/local.mk: what takes longer than make check may.
#
# check-storms: everything at once under a hostile scheduler, for MINUTES=2 or more.

storms = tests/storms/turns tests/storms/forks tests/storms/faults tests/storms/regions
EXTRA_PROGRAMS += $(storms)
EXTRA_DIST += tests/storms/run tests/storms/variant tests/storms/yield.h
storm_sources = tests/storms/hostile.c tests/storms/hostile.h $(code_host_sources)
storm_cflags = $(AM_CFLAGS) -pthread
tests_storms_turns_SOURCES = tests/storms/turns.c $(storm_sources)
tests_storms_turns_CFLAGS = $(storm_cflags)
tests_storms_forks_SOURCES = tests/storms/forks.c $(storm_sources)
tests_storms_forks_CFLAGS = $(storm_cflags)
tests_storms_faults_SOURCES = tests/storms/faults.c $(storm_sources)
tests_storms_faults_CFLAGS = $(storm_cflags)
tests_storms_regions_SOURCES = tests/storms/regions.c $(storm_sources)
tests_storms_regions_CFLAGS = $(storm_cflags)

# Other builds of the same tree.
variants = $(abs_builddir)/variants
build_variant = top_srcdir='$(abs_top_srcdir)' $(top_srcdir)/tests/storms/variant

.PHONY: check-storms
check-storms: all $(storms)
	$(build_variant) $(variants)/late all-local tools/jitmend \
		tools/jitmend-check CPPFLAGS='-include $(abs_top_srcdir)/tests/storms/yield.h'
	top_builddir='$(abs_top_builddir)' LATE=$(variants)/late MINUTES='$(MINUTES)' \
		SEED='$(SEED)' $(top_srcdir)/tests/storms/run

clean-local: clean-variants
.PHONY: clean-variants
clean-variants:
	rm -rf variants
