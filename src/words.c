/* words.c: records for people. See record.h. */
#include <errno.h>
#include <sys/mman.h>

#include "record.h"
#include "sys.h"

static void add_start(struct text *text, const struct record_start *start)
{
	text_add(text, "jitmend ");
	text_add(text, start->version);
	text_add(text, " is active, ");
	text_add(text, start->settings->mode == MODE_AUDIT
			       ? "mode audit: it changes nothing"
			       : "mode mend: it relocates refused memory");
}

static void add_protection(struct text *text, int protection)
{
	text_add(text, protection & PROT_READ ? "r" : "-");
	text_add(text, protection & PROT_WRITE ? "w" : "-");
	text_add(text, protection & PROT_EXEC ? "x" : "-");
}

static void add_request(struct text *text, const struct request *r)
{
	text_add(text, call_name(r->call));
	text_add(text, "(");
	text_add_hex(text, r->address);
	if (r->call != CALL_SHMAT) {
		text_add(text, ", ");
		text_add_number(text, r->length);
		text_add(text, ", ");
		add_protection(text, r->protection);
	}
	text_add(text, "): ");
}

static void add_piece(struct text *text, const struct event *event)
{
	const struct request *r = event->request;

	if (event->address == r->address &&
	    (event->length == r->length || event->length == page_up(r->length)))
		return;
	text_add(text, " at ");
	text_add_hex(text, event->address);
	text_add(text, "+");
	text_add_hex(text, event->length);
}

static void add_answer(struct text *text, const struct event *event)
{
	if (event->refused && event->expected) {
		text_add(text, " refused by the policy");
	} else if (event->refused) {
		text_add(text, " refused here (");
		text_add(text, error_name(event->error));
		text_add(text, ")");
	} else if (event->outcome == OUTCOME_PASSED) {
		text_add(text, " allowed here");
	}
}

static const char *outcome_words(enum outcome outcome)
{
	static const char *const words[OUTCOME_COUNT] = {
		[OUTCOME_PASSED] = "",
		[OUTCOME_REFUSED] = ", not mended",
		[OUTCOME_ANONYMOUS] = ", mapped anonymous memory instead",
		[OUTCOME_MOVED] = ", mended by moving the pages",
		[OUTCOME_COPIED] = ", mended by copying the pages",
		[OUTCOME_SHARED] = ", mended by a file mapping",
		[OUTCOME_VIEWED] = ", mended by mapping the pages writable or executable in turn",
		[OUTCOME_EMULATED] = ", mended by carrying out the trampolines of nested functions",
	};

	return (unsigned)outcome < OUTCOME_COUNT ? words[outcome] : "";
}

static void add_message(struct text *text, const struct event *event)
{
	add_request(text, event->request);
	text_add(text, danger_name(event->danger));
	add_piece(text, event);
	add_answer(text, event);
	text_add(text, outcome_words(event->outcome));
	if (event->outcome == OUTCOME_REFUSED && event->anonymous_refused &&
	    event->danger != DANGER_EXECSTACK)
		text_add(text, ": anonymous memory may not be executable here");
}

void words_place(struct text *text, const struct place *place)
{
	if (place->module == MODULE_UNKNOWN) {
		text_add(text, "unknown code at ");
		text_add_hex(text, place->offset);
		return;
	}
	text_add_quoted(text, module_describe(place->module).path, SIZE_MAX);
	text_add(text, "+");
	text_add_hex(text, place->offset);
}

static void add_caller(struct text *text, const struct stack *stack)
{
	if (!stack)
		return;
	text_add(text, " at ");
	words_place(text, &stack->places[0]);
}

static void add_event(struct text *text, const struct record_event *record)
{
	add_message(text, record->event);
	text_add(text, record->stack ? "," : "");
	add_caller(text, record->stack);
	if (record->origin_stack) {
		text_add(text, "; memory from ");
		text_add(text, record->origin->function);
		add_caller(text, record->origin_stack);
	}
}

static void add_count(struct text *text, const struct record_count *record)
{
	text_add(text, call_name(record->call));
	add_caller(text, record->stack);
	text_add(text, " was asked for ");
	text_add_number(text, record->count);
	text_add(text, record->count == 1 ? " time" : " times");
}

static void add_lost(struct text *text, uint64_t lines)
{
	text_add_number(text, lines);
	text_add(text, lines == 1 ? " line" : " lines");
	text_add(text, " before this could not be written");
}

void words_sentence(struct text *text, const struct record *record)
{
	switch (record->kind) {
	case RECORD_START:
		add_start(text, &record->start);
		break;
	case RECORD_EVENT:
		add_event(text, &record->event);
		break;
	case RECORD_COUNT:
		add_count(text, &record->count);
		break;
	case RECORD_LOST:
		add_lost(text, record->lost);
		break;
	}
}

static void add_head(struct text *text, const struct record_head *head)
{
	text_add_quoted(text, head->program, SIZE_MAX);
	text_add(text, "[");
	text_add_number(text, (uint64_t)head->pid);
	text_add(text, "]: ");
}

void words_record(struct text *text, const struct record *record)
{
	text_add(text, "jitmend: ");
	add_head(text, &record->head);
	words_sentence(text, record);
	text_end_line(text);
}

/* The form that programs send to /dev/log: priority, name, message. syslogd
 * adds the time. 13 is user.notice. */
void syslog_record(struct text *text, const struct record *record)
{
	text_add(text, "<13>jitmend[");
	text_add_number(text, (uint64_t)record->head.pid);
	text_add(text, "]: ");
	add_head(text, &record->head);
	words_sentence(text, record);
}
