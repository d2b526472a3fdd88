/* fault.c: whose fault it is. See fault.h. */
#include "fault.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "codepages.h"
#include "lock.h"
#include "rung/anonymous.h"
#include "rung/views.h"
#include "stack.h"
#include "sys.h"
#include "trampoline.h"
#include "vma.h"
#include "walk.h"

/* Without /proc the page table alone speaks, and it may be out of date: then
 * the same fault would come for ever. Once is believed, twice is not. */
static bool permitted_as_far_as_known(const struct fault *fault, const struct code_page *page)
{
	static _Atomic uint64_t last_guess;
	uint64_t guess = (uint64_t)fault->address ^ (uint64_t)sys_gettid() << 40 ^
			 (uint64_t)fault->access << 60;

	return (fault->unmapped || fault_is_permitted(page->view, fault->access)) &&
	       atomic_exchange(&last_guess, guess) != guess;
}

/* As the kernel has it now, the fault would be none, or another. What cannot be
 * touched although it is mapped is a guard (madvise(2), MADV_GUARD_INSTALL). */
static bool is_out_of_date(const struct fault *fault, const struct vma *vma)
{
	if (vma->start > fault->address)
		return false;
	if (fault->unmapped && vma->protection == PROT_NONE)
		return true;
	return (fault->unmapped || fault_is_permitted((unsigned)vma->protection, fault->access)) &&
	       !sys_is_untouchable(fault->address);
}

/* The fault is older than the page's present state: it came while the page was away,
 * and its handler got to run only now. What is not allowed either way the program is
 * to meet as it is now, not as an address where nothing is. */
static bool is_to_be_tried_again(const struct fault *fault, const struct code_page *page)
{
	struct vma vma;
	long result = vma_look(fault->address, &vma);

	if (result == 0)
		return is_out_of_date(fault, &vma);
	return permitted_as_far_as_known(fault, page);
}

static long settle(void *argument)
{
	const struct fault *fault = argument;
	struct code_page page = codepages_get(fault->address);

	switch (page.state) {
	case PAGE_UNKNOWN: /* gone while this thread waited: then it is again as it was */
	case PAGE_PLAIN:
		rung_anonymous_bring_back();
		return is_to_be_tried_again(fault, &page);
	case PAGE_VIEWED:
		return views_fault(fault->address, fault->access, fault->context);
	}
	return false;
}

static long tell_of(void *argument)
{
	const struct trampoline *trampoline = argument;
	struct request request = {
		.call = CALL_EXECUTE, .address = trampoline->at, .length = trampoline->length,
		.protection = PROT_EXEC, .pkey = -1, .fd = -1, .call_site = trampoline->caller,
	};
	struct event event = {
		.request = &request, .address = request.address, .length = request.length,
		.danger = DANGER_EXECSTACK, .outcome = OUTCOME_EMULATED, .refused = true,
		.expected = true, .alone = true,
	};

	if (walk.door->report)
		walk.door->report(&event);
	return 0;
}

/* It interrupts the host at a call, so that the journal may be written to. */
static bool run_trampoline(const struct fault *fault)
{
	struct code_page page = codepages_get(fault->address);
	bool asked = page.state == PAGE_VIEWED && page.ask & PROT_EXEC && page.ask & PROT_WRITE;
	struct trampoline trampoline;

	if (fault->access != PROT_EXEC || fault->address != arch_instruction(fault->context) ||
	    !trampoline_run(fault->context, fault->address, asked, &trampoline))
		return false;
	/* On our stack: the journal takes more of it than a fault. */
	if (lock_take_once()) {
		stack_run(fault->context, tell_of, &trampoline);
		lock_release_blocked();
	}
	return true;
}

/* A file's page is on no stack, whose bytes are worth a look, unless the entry is old:
 * then what lies there now is looked at after all. */
static bool is_filed(const struct code_page *page)
{
	return page->state == PAGE_VIEWED && page->backing;
}

bool fault_settle(const struct fault *fault)
{
	struct code_page page = codepages_get(fault->address);
	bool settled;

	if (!is_filed(&page) && run_trampoline(fault))
		return true;
	if (page.state == PAGE_UNKNOWN)
		return false;
	/* A fault of the engine's own: waiting for oneself would never end. */
	if (!lock_take_once())
		return false;
	settled = stack_run(fault->context, settle, (void *)fault);
	lock_release_blocked();
	return settled || (is_filed(&page) && run_trampoline(fault));
}
