/* rtld.c: finds the loader's system calls, and settles them. See rtld.h. */
#include "rtld.h"

#include <stdatomic.h>

#include "memory.h"
#include "rewrite.h"
#include "sys.h"

#ifdef ARCH_RTLD_STUBS

__asm__(ARCH_RTLD_STUBS);

static rtld_settler *_Atomic settler; /* NULL: this library's own */

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
	rtld_settler *settle = atomic_load(&settler);
	long result;

	memcpy(call.arguments, arguments, sizeof call.arguments);
	if (!settle)
		settle = calls_settle;
	if (!settle(&call, &result))
		result = calls_pass(&call);
	return result;
}

static const long numbers[] = ARCH_RTLD_CALLS;

#define KINDS (sizeof numbers / sizeof *numbers)

struct places {
	struct rewrite calls[KINDS];
	unsigned found;
};

static void note_place(struct places *places, const unsigned char *code, const struct vma *text)
{
	long number = arch_system_call_at(code, text->start, text->end);

	if (number < 0)
		return;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct rewrite *call = &places->calls[kind];

		if (numbers[kind] != number || call->length)
			continue;
		call->length = arch_lead_call(code, kind, &call->at, call->bytes);
		if (call->length)
			places->found++;
	}
}

/* Three of the bytes sought, from ARCH_RTLD_ZEROS on, are zero: so it is enough to look
 * at each third byte, and further only where that is. From the end, since there the
 * loader has what it took from libc. */
static bool find_places(const struct vma *text, struct places *places)
{
	const unsigned char *first = (const unsigned char *)text->start + ARCH_RTLD_ZEROS + 2;
	const unsigned char *at = (const unsigned char *)text->end - ARCH_RTLD_CALL_BYTES;

	for (; at >= first && places->found < KINDS; at -= 3) {
		if (*at)
			continue;
		for (int back = 0; back < 3; back++)
			note_place(places, at - ARCH_RTLD_ZEROS - back, text);
	}
	return places->found == KINDS;
}

bool rtld_watch(uintptr_t address)
{
	struct places places = { .found = 0 };
	struct vma text;

	return rewrite_find_text(address, &text) && find_places(&text, &places) &&
	       rewrite_text(&text, places.calls, KINDS, "jitmend-rtld");
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
