/* decide.c: the ladder, as a table: every question that a process can ask. */
#include "decide.h"

#include "tap.h"

#define MMAP .call = CALL_MMAP, .danger
#define MPROTECT .call = CALL_MPROTECT, .gains = true, .danger

static const struct {
	const char *what;
	struct question question;
	enum verdict verdict;
} table[] = {
	{ "/dev/zero at mmap becomes anonymous",
	  { MMAP = DANGER_DEVZERO, .anonymous_allowed = true }, VERDICT_ANONYMOUS },
	{ "and where nothing anonymous may run, which is the next question",
	  { MMAP = DANGER_DEVZERO, .refused = true }, VERDICT_ANONYMOUS },
	{ "an RWX mmap that nobody refuses is passed on",
	  { MMAP = DANGER_EXECMEM, .writable = true, .fresh_allowed = true }, VERDICT_PASS },
	{ "an RWX mmap that is refused gets views",
	  { MMAP = DANGER_EXECMEM, .refused = true, .writable = true, .fresh_allowed = true },
	  VERDICT_VIEWS },
	{ "an RX mmap is passed on where fresh code is allowed",
	  { MMAP = DANGER_EXECMEM, .refused = true, .fresh_allowed = true }, VERDICT_PASS },
	{ "and gets views where it is not",
	  { MMAP = DANGER_EXECMEM, .refused = true }, VERDICT_VIEWS },
	{ "a mapping without a danger is passed on",
	  { MMAP = DANGER_NONE, .refused = true, .writable = true }, VERDICT_PASS },
	{ "an executable shmat is passed on",
	  { .call = CALL_SHMAT, .danger = DANGER_EXECMEM, .refused = true }, VERDICT_PASS },
	{ "heap that is not refused is passed on",
	  { MPROTECT = DANGER_EXECHEAP, .anonymous_allowed = true }, VERDICT_PASS },
	{ "refused heap is moved",
	  { MPROTECT = DANGER_EXECHEAP, .refused = true, .anonymous_allowed = true },
	  VERDICT_MOVE },
	{ "refused heap gets views where nothing anonymous may run",
	  { MPROTECT = DANGER_EXECHEAP, .refused = true }, VERDICT_VIEWS },
	{ "a file mapped into the heap is copied",
	  { MPROTECT = DANGER_EXECHEAP, .refused = true, .private_file = true,
	    .anonymous_allowed = true }, VERDICT_COPY },
	{ "a private file that is not refused is passed on",
	  { MPROTECT = DANGER_EXECMOD, .private_file = true, .anonymous_allowed = true },
	  VERDICT_PASS },
	{ "a refused private file is copied",
	  { MPROTECT = DANGER_EXECMOD, .refused = true, .private_file = true,
	    .anonymous_allowed = true }, VERDICT_COPY },
	{ "a refused private file gets views where nothing anonymous may run",
	  { MPROTECT = DANGER_EXECMOD, .refused = true, .private_file = true }, VERDICT_VIEWS },
	{ "/dev/zero mapped before our time is copied",
	  { MPROTECT = DANGER_DEVZERO, .refused = true, .private_file = true,
	    .anonymous_allowed = true }, VERDICT_COPY },
	{ "a stack is left alone",
	  { MPROTECT = DANGER_EXECSTACK, .refused = true, .anonymous_allowed = true },
	  VERDICT_PASS },
	{ "anonymous memory that is refused gets views",
	  { MPROTECT = DANGER_EXECMEM, .refused = true, .anonymous_allowed = true },
	  VERDICT_VIEWS },
	{ "what is not dangerous is passed on",
	  { MPROTECT = DANGER_NONE, .refused = true, .private_file = true }, VERDICT_PASS },
	{ "who has the permission already is passed on",
	  { .call = CALL_MPROTECT, .danger = DANGER_EXECMEM, .refused = true }, VERDICT_PASS },
};

int main(void)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		SAME(decide(&table[i].question), table[i].verdict, table[i].what);
	return tap_done();
}
