/* decide.c: the ladder as a function. See decide.h. */
#include "decide.h"

static enum verdict decide_mapping(const struct question *question)
{
	/* Whether it will be made executable is not known when it is made, and
	 * later it is too late without a copy; nothing is lost by it meanwhile. */
	if (question->danger == DANGER_DEVZERO)
		return VERDICT_ANONYMOUS;
	if (question->danger != DANGER_EXECMEM || !question->refused)
		return VERDICT_PASS;
	return question->writable || !question->fresh_allowed ? VERDICT_VIEWS : VERDICT_PASS;
}

static enum verdict decide_protection(const struct question *question)
{
	if (!question->refused || !question->gains)
		return VERDICT_PASS;
	switch (question->danger) {
	case DANGER_EXECHEAP:
		if (!question->anonymous_allowed)
			return VERDICT_VIEWS;
		/* A file's pages at a heap address would be refused as execmod next. */
		return question->private_file ? VERDICT_COPY : VERDICT_MOVE;
	case DANGER_DEVZERO:
	case DANGER_EXECMOD:
		return question->anonymous_allowed ? VERDICT_COPY : VERDICT_VIEWS;
	case DANGER_EXECMEM:
		return VERDICT_VIEWS;
	case DANGER_NONE:
	case DANGER_EXECSTACK: /* never: the kernel could not deliver a fault to it */
	case DANGER_COUNT:
		break;
	}
	return VERDICT_PASS;
}

enum verdict decide(const struct question *question)
{
	if (question->call == CALL_MPROTECT)
		return decide_protection(question);
	return question->call == CALL_MMAP ? decide_mapping(question) : VERDICT_PASS;
}
