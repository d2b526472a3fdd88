/* journal.h: what jitmend writes down: one line an event, one write a line.
 *
 * To a file, opened at start, or to standard error. Nothing that goes wrong
 * here reaches the host: no signal (SIGPIPE, SIGXFSZ, SIGTTOU), no waiting for
 * a full pipe, no descriptor of the host's written into: before each write the
 * number must still be the file that was opened. What could not be written is
 * counted, and said with the next line that can be.
 *
 * journal_event: any thread, any context but the fault handler; no locks. */
#ifndef JITMEND_JOURNAL_H
#define JITMEND_JOURNAL_H

#include "request.h"
#include "settings.h"

/* Opens what the settings name. SETTINGS must live on. */
void journal_begin(const struct settings *settings);

void journal_event(const struct event *event);

/* A line to standard error, about settings that are no use: the library takes
 * no part in this process. */
void journal_bad_setting(const struct settings_error *error);

#endif
