# tools/report/local.mk: jitmend report, see jitmend-report(1). report.css and
# report.js are for people's browsers; page.h has them as strings.

EXTRA_DIST += tools/report/report.css tools/report/report.js tools/report/embed.sed
CLEANFILES += tools/report/page.h

if HAVE_LIBDW
pkglibexec_PROGRAMS += tools/jitmend-report
tools_jitmend_report_SOURCES = \
	tools/report/main.c tools/report/report.h \
	tools/report/journal.c tools/report/model.c tools/report/spread.c \
	tools/report/table.c tools/report/table.h \
	tools/report/symbols.c tools/report/perf-map.c tools/report/demangle.c \
	tools/report/advice.c tools/report/advice.h \
	tools/report/progress.c tools/report/print.c tools/report/print.h \
	tools/json-values.h tools/json-values.c src/text.h src/text.c \
	tools/report/format-text.c tools/report/format-json.c \
	tools/report/format-folded.c tools/report/format-sarif.c \
	tools/report/format-html.c
nodist_tools_jitmend_report_SOURCES = tools/report/page.h
tools_jitmend_report_CPPFLAGS = -D_GNU_SOURCE $(LARGEFILE_CPPFLAGS) -I$(builddir) -I$(builddir)/tools/report -I$(srcdir)/src
tools_jitmend_report_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(LIBDW_CFLAGS)
tools_jitmend_report_LDADD = $(JANSSON_LIBS) $(LIBDW_LIBS)
BUILT_SOURCES += tools/report/page.h
endif

tools/report/page.h: tools/report/report.css tools/report/report.js tools/report/embed.sed
	$(AM_V_GEN)$(MKDIR_P) tools/report && { \
		echo 'static const char page_css[] =' && \
		$(SED) -f $(srcdir)/tools/report/embed.sed $(srcdir)/tools/report/report.css && \
		echo ';' && echo 'static const char page_js[] =' && \
		$(SED) -f $(srcdir)/tools/report/embed.sed $(srcdir)/tools/report/report.js && \
		echo ';'; \
	} >$@-new && mv $@-new $@
