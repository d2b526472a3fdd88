/* journal.h: what jitmend writes down of a process.
 *
 * The first event of a site is written whole, with backtraces; the same site
 * again is counted. A site is a call at one place of the program, the danger it
 * runs into, what became of it, and the place that the memory came from.
 * Counts are written at ten, a hundred, and so on, and at the end. What could
 * not be written is counted too, and said when it can be.
 *
 * Any thread, any context but the fault handler; that may report what is told alone
 * (request.h), where it interrupted the host at a call. Takes the engine's lock. */
#ifndef JITMEND_JOURNAL_H
#define JITMEND_JOURNAL_H

#include "request.h"
#include "settings.h"

/* Opens what the settings name, which must live on, and so must PATH, the program's
 * file; NULL: the one that /proc tells of. Where there is no memory for
 * the journal's tables (tables.h) the rest does nothing. */
void journal_begin(const struct settings *settings, const char *path);

/* Backtraces from now on: in the constructor, where an unwinder may be opened. */
void journal_begin_backtraces(void);

void journal_event(const struct event *event);

/* Writes the counts that were not written yet: the program ends, or becomes
 * another. */
void journal_end(void);

/* In a child of fork, which begins at nought. */
void journal_in_child(void);

/* A line to standard error, about settings that are no use: the library takes
 * no part in this process. */
void journal_bad_setting(const struct settings_error *error);

#endif
