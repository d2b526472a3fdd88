/* deny-rules.c: what a policy says to one call. See deny-rules.h. */
#include "deny-rules.h"

#include <errno.h>
#include <sys/mman.h>

#include "request.h"

static bool no(struct refusal *refusal, const char *who, const char *permission, int error)
{
	*refusal = (struct refusal){ .who = who, .permission = permission, .error = error };
	return true;
}

static bool no_by_kernel(struct refusal *refusal, const char *who,
			 const char *permission, int error)
{
	no(refusal, who, permission, error);
	refusal->by_kernel = true;
	return true;
}

/* The tests of file_map_prot_check(): a mapping of no file, or a private file
 * mapping that is writable as well, asks execmem. */
static bool asks_execmem(unsigned protection, enum backing backing, bool shared)
{
	if (!(protection & PROT_EXEC))
		return false;
	return backing != BACKING_FILE || (!shared && (protection & PROT_WRITE));
}

bool rules_filter_refuses(unsigned policies, const struct asked *asked,
			  struct refusal *refusal)
{
	const unsigned both = PROT_WRITE | PROT_EXEC;

	if (!(policies & POLICY_SECCOMP) || !(asked->protection & PROT_EXEC) || asked->by_ipc)
		return false;
	if (asked->call != ASKED_MMAP)
		return no(refusal, "seccomp", "exec", EPERM);
	if ((asked->protection & both) != both)
		return false;
	return no(refusal, "seccomp", "write-exec", EPERM);
}

static bool new_mapping_refused(unsigned policies, const struct asked *asked,
				const struct view *view, struct refusal *refusal)
{
	unsigned protection = asked->protection;

	if ((protection & PROT_READ) && view->read_implies_exec && !asked->on_noexec_mount)
		protection |= PROT_EXEC;
	if (!(protection & PROT_EXEC))
		return false;
	if ((policies & POLICY_EXECMEM) &&
	    asks_execmem(protection, asked->backing, asked->shared))
		return no(refusal, "avc", "execmem", EACCES);
	if ((policies & POLICY_NOEXEC_DEV) && asked->on_noexec_mount)
		return no_by_kernel(refusal, "noexec-dev", "execute", EPERM);
	if ((policies & POLICY_MDWE) && (protection & PROT_WRITE))
		return no_by_kernel(refusal, "mdwe", "write-exec", EACCES);
	return false;
}

static bool holds(const struct area *area, uint64_t address)
{
	/* Both ends count, as in vma_is_initial_stack(). */
	return area->start <= address && address <= area->end;
}

/* What adding EXEC to a whole mapping asks before execmem; 0: nothing. The
 * first that fits is the only one asked. */
static unsigned gain_asks(const struct area *area, const struct view *view)
{
	if (area->protection & PROT_EXEC)
		return 0;
	if (area->start >= view->start_brk && area->end <= view->brk)
		return POLICY_EXECHEAP;
	if (area->backing == BACKING_ANONYMOUS &&
	    (holds(area, view->start_stack) ||
	     (view->stack_pointer && holds(area, view->stack_pointer))))
		return POLICY_EXECSTACK;
	if (area->backing != BACKING_ANONYMOUS && area->written)
		return POLICY_EXECMOD;
	return 0;
}

static const char *permission_name(unsigned policy)
{
	switch (policy) {
	case POLICY_EXECHEAP:
		return "execheap";
	case POLICY_EXECSTACK:
		return "execstack";
	default:
		return "execmod";
	}
}

static bool area_refused(unsigned policies, unsigned protection, const struct area *area,
			 const struct view *view, struct refusal *refusal)
{
	unsigned asks;

	if ((policies & POLICY_NOEXEC_DEV) && !area->may_exec)
		return no_by_kernel(refusal, "noexec-dev", "execute", EACCES);
	if ((policies & POLICY_MDWE) && (protection & PROT_WRITE))
		return no_by_kernel(refusal, "mdwe", "write-exec", EACCES);
	if ((policies & POLICY_MDWE) && !(area->protection & PROT_EXEC))
		return no_by_kernel(refusal, "mdwe", "gain-exec", EACCES);
	asks = gain_asks(area, view);
	if (asks & policies)
		return no(refusal, "avc", permission_name(asks), EACCES);
	if ((policies & POLICY_EXECMEM) &&
	    asks_execmem(protection, area->backing, area->shared))
		return no(refusal, "avc", "execmem", EACCES);
	return false;
}

static const struct area *first_area(const struct view *view, uint64_t address)
{
	for (size_t i = 0; i < view->count; i++)
		if (view->areas[i].end > address)
			return &view->areas[i];
	return view->areas + view->count;
}

static uint64_t page_up(uint64_t length)
{
	return (length + 4095) & ~(uint64_t)4095;
}

/* The mappings under the range in order, up to the first hole: there the
 * kernel stops with ENOMEM, and what lies behind is never asked about. */
static bool mprotect_refused(unsigned policies, const struct asked *asked,
			     const struct view *view, struct refusal *refusal)
{
	uint64_t end = asked->address + page_up(asked->length), at = asked->address;
	const struct area *area = first_area(view, at);
	const struct area *last = view->areas + view->count;

	if ((asked->address & 4095) || end <= asked->address)
		return false; /* EINVAL, ENOMEM, or nothing to do: the kernel says */
	if (asked->grows_down && area < last)
		at = area->start;
	for (; area < last && at < end && area->start <= at; area++) {
		unsigned protection = asked->protection;

		if ((protection & PROT_READ) && view->read_implies_exec && area->may_exec)
			protection |= PROT_EXEC;
		if ((protection & PROT_EXEC) &&
		    area_refused(policies, protection, area, view, refusal)) {
			refusal->area = area;
			return true;
		}
		at = area->end;
	}
	return false;
}

bool rules_refuse(unsigned policies, const struct asked *asked,
		  const struct view *view, struct refusal *refusal)
{
	if (asked->call == ASKED_MPROTECT)
		return mprotect_refused(policies, asked, view, refusal);
	return new_mapping_refused(policies, asked, view, refusal);
}

uint64_t rules_guess_brk(const struct view *view)
{
	uint64_t brk = view->start_brk;

	for (size_t i = 0; i < view->count; i++) {
		const struct area *area = &view->areas[i];

		if (area->start < view->start_brk)
			continue;
		/* A file mapped over the heap's last pages bears its own name:
		 * what follows the heap without a gap and is no anonymous
		 * memory is taken for that. */
		if (area->heap ||
		    (area->start == brk && area->backing != BACKING_ANONYMOUS))
			brk = area->end;
	}
	return brk;
}

bool rules_need_details(unsigned policies, const struct asked *asked,
			const struct view *view)
{
	uint64_t end = asked->address + page_up(asked->length);

	if (asked->call != ASKED_MPROTECT)
		return false;
	if (view->read_implies_exec || (policies & POLICY_NOEXEC_DEV))
		return true;
	if (!(policies & POLICY_EXECMOD))
		return false;
	for (const struct area *area = first_area(view, asked->address);
	     area < view->areas + view->count && area->start < end; area++)
		if (area->backing != BACKING_ANONYMOUS && !area->shared &&
		    !(area->protection & PROT_EXEC))
			return true;
	return false;
}
