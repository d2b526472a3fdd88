/* decide.c: the ladder as a function. See decide.h. */
#include "decide.h"

static enum verdict decide_mapping(const struct question *question)
{
	/* Whether it will be made executable is not known when it is made, and
	 * later it is too late without a copy; nothing is lost by it meanwhile.
	 * Where anonymous memory may not be executable, the device still may. */
	if (question->danger == DANGER_DEVZERO && question->anonymous_allowed)
		return VERDICT_ANONYMOUS;
	return VERDICT_PASS;
}

enum verdict decide(const struct question *question)
{
	if (question->call != CALL_MPROTECT)
		return decide_mapping(question);
	if (!question->refused || !question->anonymous_allowed)
		return VERDICT_PASS;
	switch (question->danger) {
	case DANGER_EXECHEAP:
		/* A file's pages at a heap address would be refused as execmod next. */
		return question->private_file ? VERDICT_COPY : VERDICT_MOVE;
	case DANGER_DEVZERO:
	case DANGER_EXECMOD:
		return VERDICT_COPY;
	case DANGER_NONE:
	case DANGER_EXECMEM:   /* rungs 2 and 3 */
	case DANGER_EXECSTACK: /* never */
	case DANGER_COUNT:
		break;
	}
	return VERDICT_PASS;
}
