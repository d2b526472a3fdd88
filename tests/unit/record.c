/* record.c: what is written down: lines, and where memory came from. */
#include "provenance.h"
#include "stacks.h"
#include "text.h"

#include "tap.h"

int main(void);

static void lines(void)
{
	char buffer[16];
	struct text text = text_in(buffer, sizeof buffer);

	text_add_hex(&text, 0xbeef);
	text_add(&text, " ");
	text_add_number(&text, 0);
	SAME((long long)text_end_line(&text), 9, "a line ends in a newline");
	CHECK(memcmp(buffer, "0xbeef 0\n", 9) == 0, "numbers are as printf has them");
	text = text_in(buffer, sizeof buffer);
	text_add(&text, "far too long for it");
	SAME((long long)text_end_line(&text), 16, "what does not fit is cut off");
	CHECK(text.cut && buffer[15] == '\n', "and the line still ends");
	text = text_in(buffer, sizeof buffer);
	text_add_quoted(&text, "a\nb\\", 4);
	text_end_line(&text);
	CHECK(memcmp(buffer, "a\\012b\\134\n", 11) == 0, "a name cannot forge a line");
}

static void strings(void)
{
	char buffer[128];
	struct text text = text_in(buffer, sizeof buffer);

	text_add_json(&text, "a\"b\\c\n\x7f", SIZE_MAX);
	text_add_json(&text, "\xc3\xa9\xe2\x82\xac", SIZE_MAX);
	text_add_json(&text, "\xc3(\xed\xa0\x80\xff", SIZE_MAX);
	text_add_json(&text, "\xf0\x9f\x98", SIZE_MAX);
	text_add_json(&text, "cut here", 3);
	text_end_line(&text);
	buffer[text.length - 1] = '\0';
	SAME_TEXT(buffer,
		  "\"a\\\"b\\\\c\\u000a\\u007f\"\"\xc3\xa9\xe2\x82\xac\""
		  "\"\\ufffd(\\ufffd\\ufffd\\ufffd\\ufffd\"\"\\ufffd\\ufffd\\ufffd\"\"cut\"",
		  "strings are JSON, whatever bytes they hold");
}

/* A call site by itself stands for a stack, as long as there is no unwinder. */
static uintptr_t origin_of(uintptr_t address)
{
	struct provenance found;
	struct stack stack;

	if (!provenance_find(address, 1, &found) || !stacks_get(found.stack, &stack))
		return 0;
	return (uintptr_t)stack.places[0].offset;
}

/* Nothing is kept before there is room, and nothing breaks. */
static void room(void)
{
	struct provenance found;
	struct stack stack;

	provenance_note("f", 0x1000, 100, 1);
	provenance_forget(0x1000, 0x1000);
	provenance_freed(0x1000);
	CHECK(!provenance_find(0x1000, 1, &found) && provenance_stack_at(0x1000) == 0,
	      "without room no origin is known");
	CHECK(stacks_note(0x1234) == 0 && !stacks_get(1, &stack), "nor a stack");
	CHECK(module_place((uintptr_t)main).module == MODULE_UNKNOWN &&
	      module_describe(1).path[0] == '\0', "nor a module");
	CHECK(module_make_room() && stacks_make_room() && provenance_make_room(), "there is room");
	CHECK(module_make_room() && stacks_make_room() && provenance_make_room(),
	      "and it is made once");
}

static void origins(void)
{
	struct provenance found;

	CHECK(!provenance_find(0x1000, 1, &found), "nothing is known at first");
	provenance_note("f", 0x1000, 5000, 1);
	SAME((long long)origin_of(0x2000), 1, "an allocation is found by any of its bytes");
	CHECK(!provenance_find(0x1000 + 5000, 1, &found), "but not past its end");
	provenance_note("f", 0x1000, 100, 2);
	SAME((long long)origin_of(0x1000), 2, "the latest counts");
	provenance_note("f", 0x3010, 100, 3);
	CHECK(!provenance_find(0x3010, 1, &found), "what begins within a page is not kept");
	provenance_note("f", 0x1000, 0x3000, 2);
	provenance_forget(0x1000, 0x1000);
	SAME((long long)origin_of(0x2000), 2, "what is left of a mapping keeps its origin");
	provenance_forget(0x2000, 0x2000);
	CHECK(!provenance_find(0x1000, 1, &found), "what is gone is forgotten");
	provenance_note("f", 0x1000, 100, 2);
	for (unsigned i = 0; i < 50000; i++)
		provenance_note("f", 0x100000 + i * 0x1000UL, 100, 4);
	CHECK(!provenance_find(0x1000, 1, &found), "old ones are overwritten");
}

static void stacks(void)
{
	unsigned one = stacks_note(0x1234), two = stacks_note(0x5678);
	struct stack stack;

	CHECK(one != 0 && two != 0 && one != two, "stacks have numbers");
	SAME(stacks_note(0x1234), one, "the same stack has the same");
	CHECK(stacks_get(one, &stack) && stack.count == 1 && stack.places[0].offset == 0x1234 &&
	      stack.places[0].module == MODULE_UNKNOWN, "an address in no module stays one");
	stacks_note((uintptr_t)stacks);
	CHECK(stacks_get(stacks_note((uintptr_t)main), &stack) &&
	      strstr(module_describe(stack.places[0].module).path, "record"),
	      "an address in this program is named after it");
	CHECK(!stacks_get(0, &stack) && !stacks_get(1000000, &stack), "no stack is none");
	for (uintptr_t i = 0; i < 100000; i++)
		if (stacks_note(i + 0x10000) == 0)
			break;
	SAME(stacks_note(0x1234), one, "a full table still knows what it has");
}

int main(void)
{
	lines();
	strings();
	room();
	origins();
	stacks();
	return tap_done();
}
