/* journald.c: records in the protocol of systemd's journal: a datagram of lines,
 * each FIELD=VALUE. No value here holds a newline. See record.h, and systemd's
 * documentation of its native journal protocol. */
#include "record.h"

/* Made up once for jitmend's messages (sd_journal_send(3)). */
#define MESSAGE_ID "8f0b5b1e9d7c4e0f9a6b54d2c7e31a60"

static void add_field(struct text *text, const char *field, const char *value)
{
	text_add(text, field);
	text_add(text, "=");
	text_add_quoted(text, value, SIZE_MAX);
	text_add(text, "\n");
}

static void add_number(struct text *text, const char *field, uint64_t number)
{
	text_add(text, field);
	text_add(text, "=");
	text_add_number(text, number);
	text_add(text, "\n");
}

/* A field may come more than once: a frame each. */
static void add_stack(struct text *text, const char *field, const struct stack *stack)
{
	for (unsigned i = 0; stack && i < stack->count; i++) {
		text_add(text, field);
		text_add(text, "=");
		words_place(text, &stack->places[i]);
		text_add(text, "\n");
	}
}

static void add_event(struct text *text, const struct record_event *record)
{
	const struct event *event = record->event;

	add_number(text, "JITMEND_SITE", record->site);
	add_field(text, "JITMEND_CALL", call_name(event->request->call));
	add_field(text, "JITMEND_DANGER", danger_name(event->danger));
	add_field(text, "JITMEND_ANSWER", record_answer(event));
	add_field(text, "JITMEND_DONE", record_done(event->outcome));
	if (event->refused && !event->expected)
		add_field(text, "JITMEND_ERRNO", error_name(event->error));
	add_stack(text, "JITMEND_STACK", record->stack);
	if (!record->origin)
		return;
	add_field(text, "JITMEND_ORIGIN", record->origin->function);
	add_stack(text, "JITMEND_ORIGIN_STACK", record->origin_stack);
}

/* Whole, or not at all: a reader would choke on a piece of it. */
static void add_json(struct text *text, const struct record *record)
{
	struct text before = *text;

	text_add(text, "JITMEND_JSON=");
	json_object(text, record);
	text_add(text, "\n");
	if (text->cut)
		*text = before;
}

void journald_record(struct text *text, const struct record *record)
{
	text_add(text, "MESSAGE=");
	words_sentence(text, record);
	text_add(text, "\nMESSAGE_ID=" MESSAGE_ID "\nPRIORITY=5\nSYSLOG_IDENTIFIER=jitmend\n");
	add_field(text, "JITMEND_EVENT", record_kind_name(record->kind));
	add_field(text, "JITMEND_COMM", record->head.program);
	add_number(text, "JITMEND_PID", (uint64_t)record->head.pid);
	if (record->kind == RECORD_EVENT)
		add_event(text, &record->event);
	if (record->kind == RECORD_COUNT) {
		add_number(text, "JITMEND_SITE", record->count.site);
		add_number(text, "JITMEND_COUNT", record->count.count);
	}
	add_json(text, record);
}
