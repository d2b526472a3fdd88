/* rtld.c: finds the loader's system calls, and settles them. See rtld.h. */
#include "rtld.h"

#include <stdatomic.h>

#include "memory.h"
#include "rewrite.h"
#include "sys.h"

#ifdef ARCH_RTLD_STUBS

__asm__(ARCH_RTLD_STUBS);

static rtld_settler *_Atomic settler = calls_settle;

void rtld_hand_over(rtld_settler *to)
{
	atomic_store(&settler, to);
}

/* From a stub: the arguments of the system call, as it was about to be made. */
long rtld_call(long number, const long *arguments, uintptr_t call_site);

__attribute__((used)) long rtld_call(long number, const long *arguments, uintptr_t call_site)
{
	struct system_call call = {
		.number = number, .call_site = call_site, .by_loader = true,
	};
	long result;

	memcpy(call.arguments, arguments, sizeof call.arguments);
	if (!atomic_load(&settler)(&call, &result))
		result = calls_pass(&call);
	return result;
}

static const long numbers[] = ARCH_RTLD_CALLS;

#define KINDS (sizeof numbers / sizeof *numbers)

struct places {
	struct rewrite calls[REWRITE_MOST];
	unsigned count;
	bool found[KINDS];
	bool too_many;
};

static void note_place(struct places *places, const unsigned char *code)
{
	long number = arch_system_call_at(code);
	struct rewrite *call = &places->calls[places->count];

	for (unsigned kind = 0; kind < KINDS; kind++) {
		uintptr_t stub = (uintptr_t)arch_rtld_stubs + kind * ARCH_RTLD_STUB_BYTES;

		if (numbers[kind] != number)
			continue;
		call->at = (uintptr_t)code;
		call->length = ARCH_RTLD_CALL_BYTES;
		places->found[kind] = arch_write_call(call->bytes, call->at, stub);
		places->too_many = ++places->count == REWRITE_MOST;
		return;
	}
}

/* Three of the bytes sought, ARCH_RTLD_ZEROS and the next, are zero: so it is enough to
 * look at each third byte, and further only where that is. */
static void find_places(const struct vma *text, struct places *places)
{
	const unsigned char *start = (const unsigned char *)text->start;
	const unsigned char *end = (const unsigned char *)text->end - ARCH_RTLD_CALL_BYTES;

	for (const unsigned char *at = start + ARCH_RTLD_ZEROS + 2; at < end; at += 3) {
		if (*at)
			continue;
		for (int back = 0; back < 3 && !places->too_many; back++)
			if (arch_system_call_at(at - ARCH_RTLD_ZEROS - back) >= 0)
				note_place(places, at - ARCH_RTLD_ZEROS - back);
	}
}

bool rtld_watch(uintptr_t address)
{
	struct places places = { .count = 0 };
	struct vma text;

	if (!rewrite_find_text(address, &text))
		return false;
	find_places(&text, &places);
	for (unsigned kind = 0; kind < KINDS; kind++)
		if (!places.found[kind])
			return false;
	return !places.too_many && rewrite_text(&text, places.calls, places.count, "jitmend-rtld");
}

#else /* a processor whose loader nobody has looked at yet */

bool rtld_watch(uintptr_t address)
{
	(void)address;
	return false;
}

void rtld_hand_over(rtld_settler *to)
{
	(void)to;
}

#endif
