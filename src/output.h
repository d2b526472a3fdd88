/* output.h: where what is written down goes, without harm to the host.
 *
 * A file, standard error, or the socket of syslog or systemd's journal. No
 * signal of a write reaches the host (SIGPIPE, SIGXFSZ, SIGTTOU), a full pipe is
 * not waited for, and no descriptor of the host's is written into: before each
 * write the number must still be what was opened. A file that was closed, or
 * taken away from its name, is opened again.
 *
 * One writer at a time: the engine's lock is held. */
#ifndef JITMEND_OUTPUT_H
#define JITMEND_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Patterns that name no file, and where they lead. */
#define OUTPUT_TO_SYSLOG "syslog:"
#define OUTPUT_TO_JOURNALD "journald:"
#define OUTPUT_TO_NOBODY "none:"
#define OUTPUT_SYSLOG_SOCKET "/dev/log"
#define OUTPUT_JOURNALD_SOCKET "/run/systemd/journal/socket"

enum output_kind {
	OUTPUT_STDERR,
	OUTPUT_FILE,
	OUTPUT_SYSLOG,
	OUTPUT_JOURNALD,
};

/* PATTERN as JITMEND_LOG has it, NULL for standard error; it must live on.
 * Returns 0, or a negated errno where it could not be opened. */
long output_begin(const char *pattern);

enum output_kind output_kind(void);

/* Sees that the output is there, and is ours. True where it had to be opened
 * anew: nothing of this process is in it yet. */
bool output_refresh(void);

/* The whole of it, or false. What a full disk cut off is taken back. */
bool output_write(const char *bytes, size_t length);

/* A line to standard error, whatever it is now: about ourselves, at start. */
void output_complain(const char *line, size_t length);

#endif
