# tests/peers/local.mk: test suites that JITs bring along, natively and mended, for
# those who have them: tools/setup --for=peers installs them. NAMES=... says which,
# WHOLE=1 that all of each is to run, RUN=... further options of jitmend run.

EXTRA_DIST += tests/peers/packages tests/peers/unpacked tests/peers/sources tests/peers/fetch tests/peers/unpack \
	tests/peers/run tests/peers/junit.py \
	tests/peers/gforth.bash tests/peers/java.bash tests/peers/luajit.bash \
	tests/peers/maxima.bash tests/peers/mono.bash tests/peers/node.bash \
	tests/peers/numba.bash tests/peers/pcre2.bash tests/peers/php.bash tests/peers/polyml.bash \
	tests/peers/postgres.bash tests/peers/pypy.bash tests/peers/python.bash \
	tests/peers/ruby.bash tests/peers/tcc.bash tests/tap.bash

.PHONY: check-peers
check-peers: all
	top_builddir='$(abs_top_builddir)' PEERS_WHOLE='$(WHOLE)' PEERS_RUN='$(RUN)' $(top_srcdir)/tests/peers/run $(NAMES)
