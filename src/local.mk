# src/local.mk: the engine, and the preloaded library around it.
#
# libengine.la is everything but the doors. It is freestanding: no libc, no
# thread-local storage, no constructor. librecord.la is what writes down; it
# needs the loader's word on modules, and nothing else. Unit tests hold both in
# their hands.

noinst_LTLIBRARIES += src/libengine.la src/librecord.la
src_libengine_la_SOURCES = \
	src/arch/x86_64.h src/sys.h src/sys.c src/memory.h src/memory.c \
	src/text.h src/text.c \
	src/request.h src/request.c \
	src/settings.h src/settings.c \
	src/lock.h src/lock.c \
	src/codepages.h src/codepages.c \
	src/vma.h src/vma.c \
	src/danger.h src/danger.c \
	src/policy.h src/policy.c \
	src/decide.h src/decide.c \
	src/rung/anonymous.h src/rung/anonymous.c \
	src/fault.h src/fault.c \
	src/engine.h src/engine.c
src_libengine_la_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
src_libengine_la_CFLAGS = $(AM_CFLAGS) -ffreestanding -fno-stack-protector \
	-fvisibility=hidden -U_FORTIFY_SOURCE $(LOOP_CFLAGS)

src_librecord_la_SOURCES = \
	src/provenance.h src/provenance.c \
	src/trace.h src/trace.c \
	src/journal.h src/journal.c
src_librecord_la_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
src_librecord_la_CFLAGS = $(AM_CFLAGS) -fno-stack-protector -fvisibility=hidden -U_FORTIFY_SOURCE

# The preload's door.
jitmendlibdir = $(libdir)/jitmend/$(DL_LIB)
jitmendlib_LTLIBRARIES = src/libjitmend.la
src_libjitmend_la_SOURCES = \
	src/start.h src/start.c \
	src/signals.h src/signals.c \
	src/hook/hook.h \
	src/hook/next.h src/hook/next.c \
	src/hook/memory.c \
	src/hook/allocate.c \
	src/hook/signal.c \
	src/hook/mask.c \
	src/hook/fork.h src/hook/fork.c \
	src/hook/exec.c \
	src/hook/syscall.c
src_libjitmend_la_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
src_libjitmend_la_CFLAGS = $(AM_CFLAGS) -fno-stack-protector -fvisibility=hidden -U_FORTIFY_SOURCE \
	-ftls-model=initial-exec
src_libjitmend_la_LDFLAGS = -module -avoid-version -shared -Wl,-z,defs -Wl,-z,now -Wl,-z,noexecstack \
	-Wl,--version-script,$(srcdir)/src/libjitmend.map
src_libjitmend_la_LIBADD = src/librecord.la src/libengine.la
src_libjitmend_la_DEPENDENCIES = src/librecord.la src/libengine.la src/libjitmend.map
EXTRA_DIST += src/libjitmend.map

# One literal path with $LIB in it serves the build tree too.
preload_link = src/preload/$(DL_LIB)/libjitmend.so
all-local: $(preload_link)
$(preload_link): src/libjitmend.la
	$(AM_V_GEN)$(MKDIR_P) $(@D) && rm -f $@ && \
		$(LN_S) $(abs_builddir)/src/.libs/libjitmend.so $@

clean-local:
	rm -rf src/preload
