/* hook/audit.c: where the audit library finds the preloaded one. Called before this
 * library is relocated: it does no more than to keep the address. */
#include "../handover.h"
#include "hook.h"

static struct handover *from_audit;

HOOK void jitmend_meet_audit(struct handover *handover)
{
	from_audit = handover;
}

struct handover *handover_from_audit(void)
{
	return from_audit;
}
