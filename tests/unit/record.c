/* record.c: what is written down: lines, and where memory came from. */
#include "provenance.h"
#include "text.h"

#include "tap.h"

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

static void note(uintptr_t address, size_t length, uintptr_t call_site)
{
	struct provenance p = { "f", address, length, call_site };

	provenance_note(&p);
}

static void origins(void)
{
	struct provenance found;

	CHECK(!provenance_find(0x1000, &found), "nothing is known at first");
	note(0x1000, 5000, 1);
	CHECK(provenance_find(0x2000, &found) && found.call_site == 1, "an allocation is found by any of its bytes");
	CHECK(!provenance_find(0x1000 + 5000, &found), "but not past its end");
	note(0x1000, 100, 2);
	CHECK(provenance_find(0x1000, &found) && found.call_site == 2, "the latest counts");
	note(0x3010, 100, 3);
	CHECK(!provenance_find(0x3010, &found), "what begins within a page is not kept");
	for (unsigned i = 0; i < 5000; i++)
		note(0x100000 + i * 0x1000UL, 100, 4);
	CHECK(!provenance_find(0x1000, &found), "old ones are overwritten");
}

int main(void)
{
	lines();
	origins();
	return tap_done();
}
