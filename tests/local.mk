# tests/local.mk: bats tests and unit tests, both speaking TAP to automake's driver.

TEST_EXTENSIONS = .bats
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
BATS_LOG_DRIVER = $(TAP_DRIVER)
BATS_LOG_COMPILER = $(BATS)
AM_BATS_LOG_FLAGS = --tap

# What a test may ask of the build. bats does not run where bash keeps to POSIX;
# ld.so's lists and #! lines know no blanks in names.
AM_TESTS_ENVIRONMENT = \
	unset POSIXLY_CORRECT; \
	case $$TMPDIR in *[!A-Za-z0-9_./+-]*) unset TMPDIR;; esac; \
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
	DL_LIB='$(DL_LIB)' CC='$(CC)'; \
	export top_srcdir top_builddir DL_LIB CC;

# Unit tests hold pieces of the engine in their hands.
unit_tests = tests/unit/decide tests/unit/settings tests/unit/codepages tests/unit/vma \
	tests/unit/engine tests/unit/record tests/unit/store \
	tests/unit/descriptors tests/unit/view tests/unit/anonymous tests/unit/ledger \
	tests/unit/hostfilter tests/unit/scratch tests/unit/advice
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
tests_unit_decide_SOURCES = tests/unit/decide.c tests/unit/tap.h
tests_unit_settings_SOURCES = tests/unit/settings.c tests/unit/tap.h
tests_unit_codepages_SOURCES = tests/unit/codepages.c tests/unit/tap.h
tests_unit_vma_SOURCES = tests/unit/vma.c tests/unit/tap.h
tests_unit_engine_SOURCES = tests/unit/engine.c tests/unit/tap.h
tests_unit_record_SOURCES = tests/unit/record.c tests/unit/tap.h
tests_unit_store_SOURCES = tests/unit/store.c tests/unit/tap.h \
	src/decoder.h src/decoder.c
if HAVE_ZYDIS
tests_unit_store_SOURCES += src/library.h src/library.c \
	src/hook/symbols.h src/hook/definitions.c
endif
tests_unit_store_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE -DDL_LIB='"$(DL_LIB)"'
if HAVE_ZYDIS
unit_tests += tests/unit/library
endif
tests_unit_library_SOURCES = tests/unit/library.c tests/unit/tap.h src/library.h src/library.c
tests_unit_library_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE -DDL_LIB='"$(DL_LIB)"'
tests_unit_library_LDADD = src/libengine.la
tests_unit_descriptors_SOURCES = tests/unit/descriptors.c tests/unit/tap.h
tests_unit_anonymous_SOURCES = tests/unit/anonymous.c tests/unit/tap.h
tests_unit_anonymous_LDADD = src/libengine.la
tests_unit_ledger_SOURCES = tests/unit/ledger.c tests/unit/tap.h
tests_unit_ledger_LDADD = src/libengine.la
tests_unit_hostfilter_SOURCES = tests/unit/hostfilter.c tests/unit/tap.h
tests_unit_hostfilter_LDADD = src/libengine.la
tests_unit_scratch_SOURCES = tests/unit/scratch.c tests/unit/tap.h
tests_unit_scratch_LDADD = src/libengine.la
tests_unit_view_SOURCES = tests/unit/view.c tests/unit/tap.h
tests_unit_view_LDADD = src/libengine.la
tests_unit_advice_SOURCES = tests/unit/advice.c tests/unit/tap.h
tests_unit_advice_LDADD = src/libengine.la
tests_unit_decide_LDADD = src/libengine.la
tests_unit_settings_LDADD = src/libengine.la
tests_unit_codepages_LDADD = src/libengine.la
tests_unit_vma_LDADD = src/libengine.la
tests_unit_engine_LDADD = src/libengine.la
tests_unit_record_LDADD = src/librecord.la src/libengine.la
tests_unit_descriptors_LDADD = src/libengine.la
tests_unit_store_LDADD = src/libengine.la

# The main job: tcc -run, and a program with each way to get memory for code.
# The converter has debug information whatever CFLAGS say: tests look up there
# the call sites that the log names. Version 4: of clang's version 5, addr2line of
# binutils 2.40 does not tell what is inlined.
TESTS += tests/main-job.bats tests/converter.bats
EXTRA_DIST += tests/run tests/common.bash \
	tests/main-job.bats tests/converter.bats \
	tests/data/customers.dictionary tests/data/customers.hex \
	tests/data/customers.csv \
	tests/data/readings.dictionary tests/data/readings.hex \
	tests/data/readings.csv \
	tests/data/gcl-compile.lisp \
	tests/data/tcc-children.c tests/data/tcc-exit.c tests/data/tcc-filter.c \
	tests/data/tcc-heap.c tests/data/tcc-hello.c tests/data/tcc-signals.c
check_PROGRAMS += tests/hosts/converter
tests_hosts_converter_SOURCES = \
	tests/hosts/converter.c tests/hosts/converter.h \
	tests/hosts/converter-assembler.c tests/hosts/converter-assembler.h \
	tests/hosts/converter-assembler-aarch64.c \
	tests/hosts/converter-dictionary.c tests/hosts/converter-generator.c \
	tests/hosts/converter-memory.c tests/hosts/converter-text.c
tests_hosts_converter_CFLAGS = $(AM_CFLAGS) -g -gdwarf-4 -pthread

# The wrapper, and what it makes of a program's file.
TESTS += tests/wrapper.bats tests/check.bats
EXTRA_DIST += tests/wrapper.bats tests/check.bats
check_PROGRAMS += tests/hosts/secure
tests_hosts_secure_SOURCES = tests/hosts/secure.c

# The door for what no library can be preloaded into. The test links the host
# statically, too.
TESTS += tests/agent.bats
EXTRA_DIST += tests/agent.bats
if HAVE_AGENT
check_PROGRAMS += tests/hosts/agent
endif
tests_hosts_agent_SOURCES = tests/hosts/agent.c $(host_sources)
tests_hosts_agent_CFLAGS = $(AM_CFLAGS) -pthread

# The policy to test against. ask and storm are for other tests as well.
TESTS += tests/deny.bats tests/unit/deny-rules
EXTRA_DIST += tests/deny.bats
check_PROGRAMS += tests/hosts/ask tests/hosts/storm tests/unit/deny-rules
tests_hosts_ask_SOURCES = tests/hosts/ask.c
tests_hosts_ask_CFLAGS = $(AM_CFLAGS) -pthread
tests_hosts_storm_SOURCES = tests/hosts/storm.c
tests_hosts_storm_CFLAGS = $(AM_CFLAGS) -pthread
tests_unit_deny_rules_SOURCES = tests/unit/deny-rules.c tests/unit/tap.h \
	tools/deny-rules.h tools/deny-rules.c
tests_unit_deny_rules_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tools

# Living in another program's process. alike.bash runs a host with and without.
TESTS += tests/writers.bats tests/heap.bats tests/signals.bats tests/hazards.bats \
	tests/library.bats
EXTRA_DIST += tests/alike.bash \
	tests/writers.bats tests/heap.bats tests/signals.bats tests/hazards.bats \
	tests/library.bats \
	tests/hosts/early.c tests/hosts/plugin.cc
check_PROGRAMS += tests/hosts/writers tests/hosts/heap tests/hosts/ranges \
	tests/hosts/pages tests/hosts/forks tests/hosts/places tests/hosts/devzero \
	tests/hosts/allocations tests/hosts/stack tests/hosts/signals tests/hosts/masks
host_sources = tests/hosts/host.c tests/hosts/host.h
signal_host_sources = tests/hosts/signal-words.c tests/hosts/signal-words.h $(host_sources)
tests_hosts_writers_SOURCES = tests/hosts/writers.c $(host_sources)
tests_hosts_heap_SOURCES = tests/hosts/heap.c $(host_sources)
tests_hosts_ranges_SOURCES = tests/hosts/ranges.c $(host_sources)
tests_hosts_pages_SOURCES = tests/hosts/pages.c $(host_sources)
tests_hosts_forks_SOURCES = tests/hosts/forks.c $(host_sources)
tests_hosts_places_SOURCES = tests/hosts/places.c $(host_sources)
tests_hosts_devzero_SOURCES = tests/hosts/devzero.c $(host_sources)
tests_hosts_allocations_SOURCES = tests/hosts/allocations.c $(host_sources)
tests_hosts_stack_SOURCES = tests/hosts/stack.c $(host_sources)
tests_hosts_signals_SOURCES = tests/hosts/signals.c $(signal_host_sources)
tests_hosts_masks_SOURCES = tests/hosts/masks.c $(signal_host_sources)

# Code that is written and run, under each policy and strict. promise looks from
# outside whether a page is ever writable and executable at once.
TESTS += tests/views.bats
EXTRA_DIST += tests/views.bats
check_PROGRAMS += tests/promise tests/hosts/code-ways tests/hosts/code-turns \
	tests/hosts/code-calls tests/hosts/code-limits tests/hosts/code-forks \
	tests/hosts/code-signals tests/hosts/code-confined
code_host_sources = tests/hosts/code.h tests/hosts/code-bytes.c \
	tests/hosts/code-bytes-aarch64.c tests/hosts/code-words.c \
	$(host_sources)
tests_promise_SOURCES = tests/promise.c
tests_hosts_code_ways_SOURCES = tests/hosts/code-ways.c $(code_host_sources)
tests_hosts_code_turns_SOURCES = tests/hosts/code-turns.c $(code_host_sources)
tests_hosts_code_turns_CFLAGS = $(AM_CFLAGS) -pthread
tests_hosts_code_calls_SOURCES = tests/hosts/code-calls.c $(code_host_sources)
tests_hosts_code_calls_CFLAGS = $(AM_CFLAGS) -pthread
tests_hosts_code_confined_SOURCES = tests/hosts/code-confined.c $(code_host_sources)
tests_hosts_code_limits_SOURCES = tests/hosts/code-limits.c $(code_host_sources)
tests_hosts_code_forks_SOURCES = tests/hosts/code-forks.c $(code_host_sources)
tests_hosts_code_forks_CFLAGS = $(AM_CFLAGS) -pthread
tests_hosts_code_signals_SOURCES = tests/hosts/code-signals.c $(code_host_sources)
tests_hosts_code_signals_CFLAGS = $(AM_CFLAGS) -pthread

TESTS += tests/execmem.bats
EXTRA_DIST += tests/execmem.bats

# The journal. journal-check reads what any test leaves behind (common.bash).
TESTS += tests/journal.bats
EXTRA_DIST += tests/journal.bats tests/hosts/journal-plugin.c tests/hosts/journal-sockets.py
check_PROGRAMS += tests/hosts/journal-ask tests/hosts/journal-stacks
tests_hosts_journal_ask_SOURCES = tests/hosts/journal-ask.c $(host_sources)
tests_hosts_journal_ask_CFLAGS = $(AM_CFLAGS) -pthread
tests_hosts_journal_stacks_SOURCES = tests/hosts/journal-stacks.c $(host_sources)
tests_hosts_journal_stacks_CFLAGS = $(AM_CFLAGS) -g -fno-omit-frame-pointer \
	-fno-optimize-sibling-calls
if HAVE_JANSSON
check_PROGRAMS += tests/journal-check
endif
tests_journal_check_SOURCES = tests/journal-check.c
tests_journal_check_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_journal_check_LDADD = $(JANSSON_LIBS)

# Audit, on real programs, each with a load of its own.
TESTS += tests/audit.bats
EXTRA_DIST += tests/audit.bats tests/data/read-journal.py tests/data/read-trace.py \
	tests/data/Audit.java tests/data/audit-ctypes.py tests/data/audit.cs \
	tests/data/audit.js tests/data/audit.lisp tests/data/audit.lua \
	tests/data/audit.php tests/data/audit.py tests/data/audit.rb \
	tests/data/audit.rkt tests/data/audit.scm
check_PROGRAMS += tests/hosts/dangers
tests_hosts_dangers_SOURCES = tests/hosts/dangers.c $(host_sources)

# Measurements, which no test waits for: doc/MEASUREMENTS has what they said.
# NAMES=... says which of the programs, RUNS=... how often. As they are, each takes less
# than six minutes on a machine with nothing else to do.
EXTRA_PROGRAMS += tests/bench/interleave tests/bench/calls tests/bench/scale
EXTRA_DIST += tests/bench/audit tests/bench/shares.awk tests/bench/start tests/bench/steady \
	tests/bench/zoo
CLEANFILES += $(EXTRA_PROGRAMS)
tests_bench_interleave_SOURCES = tests/bench/interleave.c
tests_bench_calls_SOURCES = tests/bench/calls.c
tests_bench_scale_SOURCES = tests/bench/scale.c
tests_bench_scale_LDFLAGS = -pthread

.PHONY: bench bench-audit bench-steady bench-memory
bench: all tests/bench/interleave tests/bench/calls tests/bench/scale
	tests/bench/calls '$(abs_top_builddir)/src/preload/$$LIB/libjitmend.so'
	tests/bench/scale '$(abs_top_builddir)/src/preload/$$LIB/libjitmend.so'
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' CC='$(CC)' \
		$(SHELL) $(top_srcdir)/tests/bench/start $(or $(RUNS),7) $(NAMES)

bench-audit: all tests/bench/interleave
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		$(SHELL) $(top_srcdir)/tests/bench/audit $(or $(RUNS),7) $(NAMES)

# The programs of tests/zoo: in the long run, and in memory.
bench-steady bench-memory: all tests/bench/interleave
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		$(top_srcdir)/tests/bench/steady $(if $(filter bench-memory,$@),--memory) \
			$(or $(RUNS),3) $(NAMES)

# Real programs with compilers of their own, under each policy, for those who have
# them: tools/setup --for=zoo installs them. NAMES=... says which.
EXTRA_DIST += tests/zoo

.PHONY: check-zoo bench-zoo
check-zoo: all
	top_builddir='$(abs_top_builddir)' $(top_srcdir)/tests/zoo/run $(NAMES)

bench-zoo: all
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		$(top_srcdir)/tests/bench/zoo $(RUNS) $(NAMES)

# --origins, and the wrapper's options of the journal.
TESTS += tests/origins.bats
EXTRA_DIST += tests/origins.bats tests/hosts/origins-module.c
check_PROGRAMS += tests/hosts/origins
tests_hosts_origins_SOURCES = tests/hosts/origins.c $(host_sources)
tests_hosts_origins_CFLAGS = $(AM_CFLAGS) -g -pthread -fno-optimize-sibling-calls

# Descriptors of ours that the host would close, and pages that the kernel writes to.
TESTS += tests/descriptors.bats tests/kernel-writes.bats
EXTRA_DIST += tests/under.bash tests/descriptors.bats tests/kernel-writes.bats \
	tests/data/tcc-variables.c
check_PROGRAMS += tests/hosts/descriptors tests/hosts/kernel-writes
tests_hosts_descriptors_SOURCES = tests/hosts/descriptors.c $(host_sources)
tests_hosts_kernel_writes_SOURCES = tests/hosts/kernel-writes.c $(host_sources)
tests_hosts_kernel_writes_CFLAGS = $(AM_CFLAGS) -pthread

# Calls that no symbol shows.
TESTS += tests/reach.bats
EXTRA_DIST += tests/reach.bats tests/hosts/deepbind-module.c
check_PROGRAMS += tests/hosts/deepbind
tests_hosts_deepbind_SOURCES = tests/hosts/deepbind.c $(host_sources)
tests_hosts_deepbind_CFLAGS = $(AM_CFLAGS) -g -pthread

# What the dynamic loader asks for by itself.
TESTS += tests/loader.bats
EXTRA_DIST += tests/loader.bats tests/hosts/loader.c tests/hosts/loader-module.c

# What ELF files will ask for, and completion.
TESTS += tests/scan.bats tests/completion.bats
EXTRA_DIST += tests/scan.bats tests/completion.bats

# Damaged ELF files for jitmend scan, for SECONDS; needs clang with libFuzzer.
EXTRA_DIST += tests/fuzz-scan/run tests/fuzz-scan/fuzz-scan.c
.PHONY: fuzz-scan
fuzz-scan:
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		$(top_srcdir)/tests/fuzz-scan/run $(SECONDS)
# Debuggers and profilers.
TESTS += tests/debuggers.bats
EXTRA_DIST += tests/debuggers.bats
check_PROGRAMS += tests/hosts/debugged tests/hosts/tracer
tests_hosts_debugged_SOURCES = tests/hosts/debugged.c $(host_sources)
tests_hosts_debugged_CFLAGS = $(AM_CFLAGS) -g
tests_hosts_tracer_SOURCES = tests/hosts/tracer.c

# What journals come to. check-browser looks at the page in a real browser, where
# there is one: tools/setup chromium installs it.
TESTS += tests/report.bats
EXTRA_DIST += tests/report.bats tests/browser.bats tests/browser.js \
	tests/data/read-report.py tests/data/make-journal.py \
	tests/data/journals/luajit.json tests/data/journals/node.json \
	tests/data/journals/php.json tests/data/journals/tcc.json \
	tests/data/journals/programs.folded tests/data/journals/programs.text

.PHONY: check-browser
check-browser: all
	@top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		$(BATS) --tap $(srcdir)/tests/browser.bats | awk ' \
		{ print } \
		/^ok.*# skip/ { skipped++; next } \
		/^ok/ { passed++ } \
		/^not ok/ { failed++ } \
		END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped; \
			exit failed || !(passed + skipped) }'
