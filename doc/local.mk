# doc/local.mk: man pages and the maintainers' guide.

dist_man_MANS += doc/jitmend.1 doc/jitmend-deny.1 doc/libjitmend.7
EXTRA_DIST += doc/HACKING README NEWS
