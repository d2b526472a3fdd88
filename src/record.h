/* record.h: an event with all that is to be said of it, and the ways to say it.
 *
 * Pure: text into a caller's buffer. Any context but the fault handler. */
#ifndef JITMEND_RECORD_H
#define JITMEND_RECORD_H

#include "provenance.h"
#include "request.h"
#include "settings.h"
#include "stacks.h"
#include "text.h"

/* The version of the lines, see jitmend-journal(5). */
#define RECORD_VERSION 1

/* What every line begins with. */
struct record_head {
	const char *program; /* the short name, as in /proc/PID/comm */
	int pid, tid;
	uint64_t time;       /* nanoseconds since 1970 */
};

struct record_start {
	const char *version; /* of jitmend */
	const char *path;    /* of the program's file */
	const char *release, *machine; /* of the kernel, as uname(2) has them */
	const char *policy_from; /* policy_known_from */
	bool mdwe;           /* PR_SET_MDWE is in force */
	const char *unwinder;
	bool continues;      /* the file before was taken away */
	const struct settings *settings;
};

struct record_event {
	const struct event *event;
	unsigned site;       /* number within the process, from 1 */
	const struct stack *stack;
	const struct provenance *origin; /* NULL: not known */
	const struct stack *origin_stack;
};

/* How often a site asked, the first time included. */
struct record_count {
	unsigned site;
	enum call call;
	const struct stack *stack; /* NULL: not known */
	uint64_t count;
};

enum record_kind {
	RECORD_START,
	RECORD_EVENT,
	RECORD_COUNT,
	RECORD_LOST, /* lines that could not be written */
};

struct record {
	enum record_kind kind;
	struct record_head head;
	union {
		struct record_start start;
		struct record_event event;
		struct record_count count;
		uint64_t lost;
	};
};

/* Each says a record whole, in a form of its own: a line in words, an object of
 * jitmend-journal(5) on a line, a datagram for syslog(3)'s socket, one for
 * systemd's journal. */
void words_record(struct text *text, const struct record *record);
void json_record(struct text *text, const struct record *record);
void syslog_record(struct text *text, const struct record *record);
void journald_record(struct text *text, const struct record *record);

/* Parts that other forms take over from the words. */
void words_sentence(struct text *text, const struct record *record);
void words_place(struct text *text, const struct place *place);
void json_object(struct text *text, const struct record *record);

/* An event's words, as both the journal and the list of fields have them. */
const char *record_answer(const struct event *event);
const char *record_done(enum outcome outcome);
const char *record_kind_name(enum record_kind kind);

#endif
