# doc/examples/local.mk: files to copy and change, and their test.

examplesdir = $(docdir)/examples
examples_DATA = doc/examples/jitmend.conf
dist_examples_DATA = doc/examples/jitmend-memfd.cil
EXTRA_DIST += doc/examples/jitmend.conf.in
CLEANFILES += doc/examples/jitmend.conf

doc/examples/jitmend.conf: doc/examples/jitmend.conf.in Makefile
	$(AM_V_GEN)$(MKDIR_P) doc/examples && $(SED) \
		-e 's|@preloaddir[@]|$(libdir)/jitmend|' \
		-e 's|@bindir[@]|$(bindir)|' \
		$(srcdir)/doc/examples/jitmend.conf.in >$@-new && mv $@-new $@

TESTS += tests/examples.bats
EXTRA_DIST += tests/examples.bats tests/data/selinux-base.cil
