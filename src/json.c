/* json.c: records for programs. See record.h and jitmend-journal(5), which
 * change together, with RECORD_VERSION.
 *
 * Addresses are strings in hexadecimal: JSON's numbers are not exact beyond
 * 2^53 in every reader. */
#include <sys/mman.h>

#include "record.h"

#define MOST_EXACT (1ULL << 53) /* a program may ask for any length */
#define MESSAGE_SIZE 1024
#define MESSAGE_RESERVE (6 * MESSAGE_SIZE + 64) /* each byte as U+FFFD, the ends */
#define ORIGIN_RESERVE 512 /* without its stack */

static void name(struct text *text, const char *key)
{
	text_add(text, ",\"");
	text_add(text, key);
	text_add(text, "\":");
}

static void add_string(struct text *text, const char *key, const char *value)
{
	name(text, key);
	text_add_json(text, value, SIZE_MAX);
}

static void add_number(struct text *text, const char *key, uint64_t number)
{
	name(text, key);
	text_add_number(text, number);
}

static void add_address(struct text *text, const char *key, uint64_t address)
{
	name(text, key);
	text_add(text, "\"");
	text_add_hex(text, address);
	text_add(text, "\"");
}

static void add_boolean(struct text *text, const char *key, bool value)
{
	name(text, key);
	text_add(text, value ? "true" : "false");
}

/* Seconds with six decimals: what a reader's floating point still holds whole. */
static void add_time(struct text *text, uint64_t nanoseconds)
{
	uint64_t micro = nanoseconds / 1000 % 1000000;

	add_number(text, "time", nanoseconds / 1000000000);
	text_add(text, ".");
	for (uint64_t digit = 100000; digit; digit /= 10)
		text_add_number(text, micro / digit % 10);
}

static void begin(struct text *text, const char *kind, const struct record_head *head)
{
	text_add(text, "{\"v\":");
	text_add_number(text, RECORD_VERSION);
	add_string(text, "event", kind);
	add_time(text, head->time);
	add_number(text, "pid", (uint64_t)head->pid);
	add_number(text, "tid", (uint64_t)head->tid);
	add_string(text, "comm", head->program);
}

static void add_policy(struct text *text, const struct settings *settings)
{
	bool first = true;

	name(text, "policy");
	text_add(text, "[");
	for (unsigned i = 0; i < SETTINGS_POLICY_WORDS; i++) {
		const struct settings_policy_word *word = &settings_policy_word[i];

		if (!(settings->policy & word->bit))
			continue;
		text_add(text, first ? "" : ",");
		text_add_json(text, word->name, SIZE_MAX);
		first = false;
	}
	text_add(text, first ? "\"auto\"]" : "]");
}

static void add_start(struct text *text, const struct record_start *start)
{
	add_string(text, "jitmend", start->version);
	add_string(text, "program", start->path);
	add_string(text, "kernel", start->release);
	add_string(text, "machine", start->machine);
	add_string(text, "mode", start->settings->mode == MODE_AUDIT ? "audit" : "mend");
	add_policy(text, start->settings);
	add_string(text, "policy_from", start->policy_from);
	add_boolean(text, "mdwe", start->mdwe);
	add_string(text, "unwinder", start->unwinder);
	add_number(text, "frames", stacks_frames());
	if (start->continues)
		add_boolean(text, "continues", true);
}

/* A place that lies in no file has its address alone. */
static void add_place(struct text *text, const struct place *place)
{
	struct module module = module_describe(place->module);

	if (place->module == MODULE_UNKNOWN) {
		text_add(text, "{\"unknown\":\"");
		text_add_hex(text, place->offset);
		text_add(text, "\"}");
		return;
	}
	text_add(text, "{\"module\":");
	text_add_json(text, module.path, SIZE_MAX);
	if (module.build_id[0])
		add_string(text, "build_id", module.build_id);
	add_address(text, "offset", place->offset);
	text_add(text, "}");
}

/* RESERVE bytes are left for what follows: a line that is cut off is no JSON,
 * so the frames that find no room are only counted. */
static void add_stack(struct text *text, const struct stack *stack, size_t reserve)
{
	name(text, "stack");
	text_add(text, "[");
	for (unsigned i = 0; stack && i < stack->count; i++) {
		struct text before = *text;

		text_add(text, i ? "," : "");
		add_place(text, &stack->places[i]);
		if (!text->cut && text->length + reserve <= text->size)
			continue;
		*text = before;
		text_add(text, i ? ",{\"more\":" : "{\"more\":");
		text_add_number(text, stack->count - i);
		text_add(text, "}");
		break;
	}
	text_add(text, "]");
}

static void add_request(struct text *text, const struct request *r)
{
	char letters[4] = { r->protection & PROT_READ ? 'r' : '-',
			    r->protection & PROT_WRITE ? 'w' : '-',
			    r->protection & PROT_EXEC ? 'x' : '-', '\0' };
	uint64_t length = r->length;

	add_string(text, "call", call_name(r->call));
	add_address(text, "address", r->address);
	if (r->call == CALL_SHMAT) {
		add_number(text, "shmid", (uint64_t)(uint32_t)r->fd);
		add_address(text, "flags", (uint32_t)r->flags);
		return;
	}
	add_number(text, "length", length < MOST_EXACT ? length : MOST_EXACT);
	add_string(text, "protection", letters);
	if (r->call == CALL_EXECUTE)
		return;
	if (r->call == CALL_MPROTECT) {
		if (r->pkey != -1)
			add_number(text, "pkey", (uint64_t)(uint32_t)r->pkey);
		return;
	}
	add_address(text, "flags", (uint32_t)r->flags);
	if (r->flags & MAP_ANONYMOUS)
		return;
	add_number(text, "fd", (uint64_t)(uint32_t)r->fd);
	add_address(text, "offset", (uint64_t)r->offset);
}

static void add_origin(struct text *text, const struct record_event *record)
{
	if (!record->origin)
		return;
	name(text, "origin");
	text_add(text, "{\"call\":");
	text_add_json(text, record->origin->function, SIZE_MAX);
	add_address(text, "address", record->origin->address);
	add_number(text, "length", record->origin->length);
	add_stack(text, record->origin_stack, MESSAGE_RESERVE);
	text_add(text, "}");
}

static void add_piece(struct text *text, const struct event *event)
{
	name(text, "piece");
	text_add(text, "{\"address\":\"");
	text_add_hex(text, event->address);
	text_add(text, "\"");
	if (event->request->call != CALL_SHMAT) /* only the kernel knows how long it is */
		add_number(text, "length", event->length);
	text_add(text, "}");
}

static void add_event(struct text *text, const struct record_event *record)
{
	const struct event *event = record->event;

	add_number(text, "site", record->site);
	add_request(text, event->request);
	add_piece(text, event);
	add_string(text, "danger", danger_name(event->danger));
	add_string(text, "answer", record_answer(event));
	if (event->refused && !event->expected)
		add_string(text, "errno", error_name(event->error));
	add_string(text, "done", record_done(event->outcome));
	add_stack(text, record->stack, MESSAGE_RESERVE + ORIGIN_RESERVE);
	add_origin(text, record);
}

static void add_message(struct text *text, const struct record *record)
{
	char words[MESSAGE_SIZE];
	struct text message = text_in(words, sizeof words);

	words_sentence(&message, record);
	name(text, "message");
	text_add_json(text, words, message.length);
}

void json_object(struct text *text, const struct record *record)
{
	begin(text, record_kind_name(record->kind), &record->head);
	switch (record->kind) {
	case RECORD_START:
		add_start(text, &record->start);
		break;
	case RECORD_EVENT:
		add_event(text, &record->event);
		break;
	case RECORD_COUNT:
		add_number(text, "site", record->count.site);
		add_number(text, "count", record->count.count);
		break;
	case RECORD_LOST:
		add_number(text, "lines", record->lost);
		break;
	}
	add_message(text, record);
	text_add(text, "}");
}

void json_record(struct text *text, const struct record *record)
{
	json_object(text, record);
	text_end_line(text);
}
