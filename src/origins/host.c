/* host.c: what libjitmend.so lent, and the two functions that it calls.
 *
 * src/stacks.c is part of this library too, with a table of its own, larger
 * because every allocation has a stack and few events have. The unwinder and the
 * modules that it asks for are below: libjitmend.so's, once that has come to
 * life. Until then a stack is the call site, in no module. */
#include "host.h"

#include <stdatomic.h>

#include "../sys.h"
#include "origins.h"
#include "table.h"

static const struct origins_host *_Atomic host;
static atomic_bool unwanted;

unsigned backtrace_from(uintptr_t call_site, uintptr_t *frames, unsigned most)
{
	const struct origins_host *to = atomic_load_explicit(&host, memory_order_acquire);

	if (to)
		return to->backtrace_from(call_site, frames, most);
	frames[0] = call_site;
	return 1;
}

struct place module_place(uintptr_t address)
{
	const struct origins_host *to = atomic_load_explicit(&host, memory_order_acquire);

	if (to)
		return to->module_place(address);
	return (struct place){ .module = MODULE_UNKNOWN, .offset = address };
}

bool host_wants(void)
{
	return !atomic_load_explicit(&unwanted, memory_order_relaxed);
}

void host_freed(uintptr_t address)
{
	const struct origins_host *to = atomic_load_explicit(&host, memory_order_acquire);

	if (to && address % PAGE_BYTES == 0)
		to->freed(address);
}

void jitmend_origins_begin(const struct origins_host *from)
{
	if (from)
		stacks_limit(from->frames);
	atomic_store_explicit(&host, from, memory_order_release);
	atomic_store(&unwanted, from == NULL);
}

/* The call site of an allocation from before the beginning has no module yet. */
static void find_module(struct stack *stack)
{
	if (stack->count == 1 && stack->places[0].module == MODULE_UNKNOWN)
		stack->places[0] = module_place(stack->places[0].offset);
}

bool jitmend_origins_find(uintptr_t address, size_t length, struct origin *origin)
{
	struct allocation found;

	if (!table_find(address, length, &found))
		return false;
	origin->function = table_function_name(found.function);
	origin->address = found.address;
	origin->length = found.length;
	origin->stack.count = 0;
	if (stacks_get(found.stack, &origin->stack))
		find_module(&origin->stack);
	return true;
}
