/* decide.c: the ladder, as a table: every question that a process can ask. */
#include "decide.h"

#include "tap.h"

static const struct {
	const char *what;
	struct question question;
	enum verdict verdict;
} table[] = {
	{ "/dev/zero at mmap becomes anonymous",
	  { CALL_MMAP, DANGER_DEVZERO, false, false, true }, VERDICT_ANONYMOUS },
	{ "/dev/zero stays itself where nothing anonymous may run",
	  { CALL_MMAP, DANGER_DEVZERO, true, false, false }, VERDICT_PASS },
	{ "an RWX mmap is passed on",
	  { CALL_MMAP, DANGER_EXECMEM, true, false, true }, VERDICT_PASS },
	{ "an executable shmat is passed on",
	  { CALL_SHMAT, DANGER_EXECMEM, true, false, true }, VERDICT_PASS },
	{ "heap that is not refused is passed on",
	  { CALL_MPROTECT, DANGER_EXECHEAP, false, false, true }, VERDICT_PASS },
	{ "refused heap is moved",
	  { CALL_MPROTECT, DANGER_EXECHEAP, true, false, true }, VERDICT_MOVE },
	{ "refused heap stays refused where nothing anonymous may run",
	  { CALL_MPROTECT, DANGER_EXECHEAP, true, false, false }, VERDICT_PASS },
	{ "a file mapped into the heap is copied",
	  { CALL_MPROTECT, DANGER_EXECHEAP, true, true, true }, VERDICT_COPY },
	{ "a private file that is not refused is passed on",
	  { CALL_MPROTECT, DANGER_EXECMOD, false, true, true }, VERDICT_PASS },
	{ "a refused private file is copied",
	  { CALL_MPROTECT, DANGER_EXECMOD, true, true, true }, VERDICT_COPY },
	{ "a refused private file stays refused where nothing anonymous may run",
	  { CALL_MPROTECT, DANGER_EXECMOD, true, true, false }, VERDICT_PASS },
	{ "/dev/zero mapped before our time is copied",
	  { CALL_MPROTECT, DANGER_DEVZERO, true, true, true }, VERDICT_COPY },
	{ "a stack is left alone",
	  { CALL_MPROTECT, DANGER_EXECSTACK, true, false, true }, VERDICT_PASS },
	{ "anonymous memory is passed on",
	  { CALL_MPROTECT, DANGER_EXECMEM, true, false, true }, VERDICT_PASS },
	{ "what is not dangerous is passed on",
	  { CALL_MPROTECT, DANGER_NONE, true, true, true }, VERDICT_PASS },
};

int main(void)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		SAME(decide(&table[i].question), table[i].verdict, table[i].what);
	return tap_done();
}
