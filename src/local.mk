# src/local.mk: the engine, and the preloaded library around it.
#
# libengine.la is everything but the doors. It is freestanding: no libc, no
# thread-local storage, no constructor. librecord.la is what writes down; it
# needs the loader's word on modules, and nothing else. Unit tests hold both in
# their hands.

noinst_LTLIBRARIES += src/libengine.la src/librecord.la
src_libengine_la_SOURCES = \
	src/arch/x86_64.h src/arch/i386.h src/arch/aarch64.h src/arch/word64.h src/arch/x86.h \
	src/arch/code.c src/sys.h src/sys.c src/memory.h src/memory.c \
	src/text.h src/text.c \
	src/request.h src/request.c \
	src/settings.h src/settings.c \
	src/lock.h src/lock.c \
	src/spare.h src/spare.c \
	src/hash.h src/own.h src/own.c \
	src/codepages.h src/codepages.c \
	src/vma.h src/vma.c src/ledger.h src/ledger.c \
	src/hostfilter.h src/hostfilter.c src/scratch.h src/scratch.c \
	src/danger.h src/danger.c \
	src/policy.h src/policy.c \
	src/decide.h src/decide.c \
	src/descriptors.h src/descriptors.c \
	src/codefile.h src/codefile.c src/backing.h src/backing.c src/reserve.h src/reserve.c \
	src/rung/anonymous.h src/rung/anonymous.c \
	src/rung/advice.h src/rung/advice.c \
	src/rung/views.h src/rung/view.h src/rung/views.c src/rung/view.c \
	src/rung/adopt.c src/rung/touch.c src/rung/together.h src/rung/together.c \
	src/rung/giveback.c src/rung/freeze.c \
	src/arithmetic.h src/arithmetic.c src/operands.h src/operands.c \
	src/carry.h src/carry.c src/decoder.h src/store.h src/store.c \
	src/detour.h src/detour.c \
	src/rewrite.h src/rewrite.c \
	src/trampoline.h src/trampoline.c \
	src/stack.h src/stack.c \
	src/fault.h src/fault.c \
	src/engine.h src/walk.h src/engine.c src/mapping.c src/protection.c \
	src/personality.c
src_libengine_la_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
# Where code is freestanding clang leaves out what a host's backtrace takes to get through
# the handler.
src_libengine_la_CFLAGS = $(AM_CFLAGS) $(ATOMIC_CFLAGS) -ffreestanding -fno-stack-protector \
	-fasynchronous-unwind-tables -fvisibility=hidden -U_FORTIFY_SOURCE $(LOOP_CFLAGS) -ffunction-sections

src_librecord_la_SOURCES = \
	src/tables.h src/tables.c \
	src/loader.h src/loader.c \
	src/hook/symbols.h src/hook/symbols.c src/hook/definitions.c \
	src/backtrace.h src/backtrace.c \
	src/module.h src/module.c \
	src/stacks.h src/stacks.c \
	src/provenance.h src/provenance.c \
	src/record.h src/record.c src/words.c src/json.c src/journald.c \
	src/output.h src/output.c \
	src/journal.h src/journal.c
src_librecord_la_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
src_librecord_la_CFLAGS = $(AM_CFLAGS) $(ATOMIC_CFLAGS) -fno-stack-protector \
	-fvisibility=hidden -U_FORTIFY_SOURCE -ftls-model=initial-exec -ffunction-sections

# What doors have in common: the program's signals, and its system calls by number.
# As freestanding as the engine.
noinst_LTLIBRARIES += src/libcalls.la
src_libcalls_la_SOURCES = \
	src/signals.h src/signals.c src/fault-probe.h \
	src/closing.h src/closing.c \
	src/writes.h src/writes.c \
	src/calls.h src/calls.c \
	src/rtld.h src/rtld.c
src_libcalls_la_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
src_libcalls_la_CFLAGS = $(src_libengine_la_CFLAGS)

# The preload's door.
jitmendlibdir = $(libdir)/jitmend/$(DL_LIB)
jitmendlib_LTLIBRARIES = src/libjitmend.la
src_libjitmend_la_SOURCES = \
	src/start.h src/start.c \
	src/decoder.h src/decoder.c \
	src/hook/hook.h \
	src/patch.h src/patch.c \
	src/hook/next.h src/hook/next.c \
	src/handover.h src/hook/audit.c \
	src/hook/memory.c \
	src/hook/allocate.c \
	src/hook/signal.c \
	src/hook/mask.c \
	src/hook/fork.h src/hook/fork.c \
	src/hook/exec.c \
	src/hook/end.c \
	src/hook/unwinder.c \
	src/hook/descriptor.c \
	src/hook/written.h src/hook/written.c \
	src/hook/read.c \
	src/hook/stream.c \
	src/hook/result.c \
	src/hook/stat.c \
	src/hook/wait.c \
	src/hook/syscall.c \
	src/hook/confine.c
if HAVE_ZYDIS
src_libjitmend_la_SOURCES += src/library.h src/library.c
endif
src_libjitmend_la_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE -DDL_LIB='"$(DL_LIB)"'
src_libjitmend_la_CFLAGS = $(AM_CFLAGS) $(ATOMIC_CFLAGS) -fno-stack-protector \
	-fvisibility=hidden -U_FORTIFY_SOURCE -ftls-model=initial-exec -ffunction-sections
src_libjitmend_la_LDFLAGS = -module -avoid-version -shared -XCClinker -nostartfiles -Wl,-z,defs -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,noseparate-code -Wl,-Bsymbolic-functions \
	-Wl,--sort-section=name -Wl,-T,$(srcdir)/src/libjitmend.ld \
	-Wl,--version-script,$(srcdir)/src/libjitmend.map
src_libjitmend_la_LIBADD = src/libcalls.la src/librecord.la src/libengine.la
src_libjitmend_la_DEPENDENCIES = src/libcalls.la src/librecord.la src/libengine.la src/libjitmend.map \
	src/libjitmend.ld
EXTRA_DIST += src/libjitmend.map src/libjitmend.ld

# The door for programs without a loader: a program of its own, at an address of its
# own, that holds the engine and becomes the other one.
if HAVE_AGENT
pkglibexec_PROGRAMS += tools/jitmend-agent
tools_jitmend_agent_SOURCES = \
	src/agent/agent.h src/agent/start.c \
	src/agent/image.h src/agent/image.c \
	src/agent/filter.h src/agent/filter.c \
	src/agent/trap.h src/agent/trap.c \
	src/agent/become.h src/agent/become.c \
	src/agent/backtrace.c \
	src/library.h src/library.c src/decoder.h src/decoder.c \
	src/hook/symbols.h src/hook/definitions.c \
	src/tables.h src/tables.c src/module.h src/module.c src/stacks.h src/stacks.c \
	src/provenance.h src/provenance.c \
	src/record.h src/record.c src/words.c src/json.c src/journald.c \
	src/output.h src/output.c src/journal.h src/journal.c
tools_jitmend_agent_CPPFLAGS = $(src_libengine_la_CPPFLAGS) -DDL_LIB='"$(DL_LIB)"'
# What is missing here is looked for through the table of addresses, where it is NULL.
tools_jitmend_agent_CFLAGS = $(src_libengine_la_CFLAGS) -fPIE -fno-plt
# Without debug information: Valgrind reads that of all that is mapped where it runs,
# and gives up over what it does not know.
tools_jitmend_agent_LDFLAGS = -all-static -nostdlib -Wl,-z,noexecstack -Wl,--strip-debug \
	-Wl,--build-id -Wl,--no-relax -Wl,-Ttext-segment=0x6a6d00000000
tools_jitmend_agent_LDADD = src/libcalls.la src/libengine.la
endif

# Beside it, for --origins: what watches malloc. It has a larger table of stacks,
# and defines what stacks.c asks for itself.
jitmendlib_LTLIBRARIES += src/libjitmend-origins.la
src_libjitmend_origins_la_SOURCES = \
	src/origins/origins.h \
	src/origins/hooks.c \
	src/origins/next.h src/origins/next.c \
	src/origins/table.h src/origins/table.c \
	src/origins/host.h src/origins/host.c \
	src/stacks.h src/stacks.c src/tables.h src/tables.c src/memory.h src/memory.c \
	src/arch/code.c
src_libjitmend_origins_la_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE -DSTACKS_SLOTS=65536u -DSYS_WITHOUT_LEDGER
src_libjitmend_origins_la_CFLAGS = $(src_libjitmend_la_CFLAGS) -fno-builtin $(LOOP_CFLAGS)
src_libjitmend_origins_la_LDFLAGS = -module -avoid-version -shared -Wl,-z,defs -Wl,-z,now \
	-Wl,-z,noexecstack -Wl,--version-script,$(srcdir)/src/origins/origins.map
src_libjitmend_origins_la_LIBADD =
src_libjitmend_origins_la_DEPENDENCIES = src/origins/origins.map
EXTRA_DIST += src/origins/origins.map

# And for --audit-loader: the engine once more, in a library without libc.
jitmendlib_LTLIBRARIES += src/libjitmend-audit.la
src_libjitmend_audit_la_SOURCES = src/audit/audit.c src/handover.h \
	src/hook/symbols.h src/hook/definitions.c
src_libjitmend_audit_la_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
src_libjitmend_audit_la_CFLAGS = $(src_libengine_la_CFLAGS)
src_libjitmend_audit_la_LDFLAGS = -module -avoid-version -shared -XCClinker -nostdlib -Wl,-z,defs \
	-Wl,-z,now -Wl,-z,noexecstack -Wl,--version-script,$(srcdir)/src/audit/audit.map
src_libjitmend_audit_la_LIBADD = src/libcalls.la src/libengine.la -lgcc
src_libjitmend_audit_la_DEPENDENCIES = src/libcalls.la src/libengine.la src/audit/audit.map
EXTRA_DIST += src/audit/audit.map

# One literal path with $LIB in it serves the build tree too.
preload_links = src/preload/$(DL_LIB)/libjitmend.so src/preload/$(DL_LIB)/libjitmend-origins.so \
	src/preload/$(DL_LIB)/libjitmend-audit.so
all-local: $(preload_links)
src/preload/$(DL_LIB)/%.so: src/%.la
	$(AM_V_GEN)$(MKDIR_P) $(@D) && rm -f $@ && \
		$(LN_S) $(abs_builddir)/src/.libs/$(@F) $@

clean-local:
	rm -rf src/preload
