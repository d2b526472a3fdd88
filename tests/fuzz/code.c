/* code.c: operations that make code and run it. See walk.h. Nothing is called that is
 * not one of the functions below, or cannot be executed. */
#include "walk.h"

enum { SLOT_BYTES = 64, SLOTS = 32, TEMPLATE_MOST = 48 };

/* Where a function's own word lies from its beginning, in the page's upper half. */
#define WORD 2048

enum kind {
	RETURN, PATCH, LOOP1, LOOP4, LOOP8, INCREMENT, EXCHANGE, PAIR, FILL, COPY, READ, ILLEGAL,
	BREAKPOINT, STACK, SELF, KINDS,
};

static const char *const kind_words[KINDS] = {
	"return", "patch", "loop of bytes", "loop of longs", "loop of quads", "increment",
	"exchange", "pair", "fill", "copy", "read", "illegal", "breakpoint", "stack",
	"self",
};

/* Which bytes may be anything: those that the function itself, or whoever makes it,
 * fills in. */
static struct template {
	unsigned char bytes[TEMPLATE_MOST];
	size_t length, free_from, free_to;
} templates[KINDS];

static void make(enum kind kind, unsigned char *at, size_t length, size_t free_from, size_t free)
{
	struct template *template = &templates[kind];

	must(length <= TEMPLATE_MOST, "a short function");
	memcpy(template->bytes, at, length);
	template->length = length;
	template->free_from = free_from;
	template->free_to = free_from + free;
}

void code_begin(void)
{
	/* mov %sil, -7(%rip): its own first byte, which is 0x40; mov $9, %eax; ret */
	static const unsigned char self[] = { 0x40, 0x88, 0x35, 0xf9, 0xff, 0xff, 0xff,
					      0xb8, 9, 0, 0, 0, 0xc3 };
	static unsigned char at[PAGE];
	void *word = at + WORD;

	code_write(at, 7);
	make(RETURN, at, 6, 1, 4);
	make(PATCH, at, code_patch_next(at), 7, 4);
	make(LOOP1, at, code_loop(at, 1), 11, 4);
	make(LOOP4, at, code_loop(at, 4), 11, 4);
	/* it counts in eight bytes from the operand on, of which four are not its own: no
	 * carry may come so far */
	make(LOOP8, at, code_loop(at, 8), 12, 3);
	make(INCREMENT, at, code_increment(at, word), 0, 0);
	make(EXCHANGE, at, code_exchange_add(at, word), 0, 0);
	make(PAIR, at, code_count_pair(at, word), 0, 0);
	make(FILL, at, code_fill(at), 0, 0);
	make(COPY, at, code_copy(at), 0, 0);
	make(READ, at, code_read_at(at), 0, 0);
	make(ILLEGAL, at, code_illegal(at), 0, 0);
	make(BREAKPOINT, at, code_breakpoint(at), 0, 0);
	make(STACK, at, code_on_stack(at), 0, 0);
	memcpy(at, self, sizeof(self));
	make(SELF, at, sizeof(self), 0, 0);
}

/* The last two reach into the next page; their words would lie where its code is. */
static unsigned char *slot(uint32_t where, uint32_t number, bool *crosses)
{
	struct range range = range_at(where, 1);

	number %= SLOTS + 3;
	*crosses = number >= SLOTS;
	if (*crosses)
		return range.start + PAGE - 2 - 3 * (number - SLOTS);
	return range.start + number * SLOT_BYTES;
}

static bool has_word(enum kind kind)
{
	return kind == INCREMENT || kind == EXCHANGE || kind == PAIR;
}

struct emission {
	unsigned char *to;
	const unsigned char *bytes;
	size_t length;
	unsigned way;
};

static void do_emit(void *argument)
{
	struct emission *emission = argument;

	if (emission->way == 0) { /* as an assembler does */
		for (size_t i = 0; i < emission->length; i++)
			((volatile unsigned char *)emission->to)[i] = emission->bytes[i];
		return;
	}
	memcpy(emission->to, emission->bytes, emission->length);
}

size_t op_emit(size_t at)
{
	const struct op *op = &ops[at];
	unsigned char bytes[TEMPLATE_MOST];
	struct emission emission = { .bytes = bytes, .way = op->d & 3 };
	enum kind kind = op->c % 5 < 2 ? RETURN : (op->c >> 4) % KINDS;
	bool crosses;
	struct met met;

	emission.to = slot(op->a, op->b, &crosses);
	if (crosses && has_word(kind))
		kind = RETURN;
	emission.length = templates[kind].length;
	memcpy(bytes, templates[kind].bytes, sizeof(bytes));
	if (kind == RETURN)
		memcpy(bytes + 1, &op->d, sizeof(op->d));
	met = meet(do_emit, &emission);
	tell("%zu emit %s %s:%s", at, kind_words[kind], place(emission.to), met_words(&met));
	return at + 1;
}

/* ------------------------------------------------------------------- calls */

struct call {
	unsigned char *function;
	unsigned char bytes[TEMPLATE_MOST];
	size_t length;
	const void *a;
	long b, c, result;
	unsigned times;
};

static void do_look(void *argument)
{
	struct call *call = argument;

	memcpy(call->bytes, call->function, call->length);
}

static bool matches(const struct template *template, const unsigned char *bytes)
{
	for (size_t i = 0; i < template->length; i++)
		if ((i < template->free_from || i >= template->free_to) && bytes[i] != template->bytes[i])
			return false;
	return true;
}

/* KINDS: none. */
static enum kind kind_at(struct call *call)
{
	unsigned char *end = (unsigned char *)(((uintptr_t)call->function / PAGE + 1) * PAGE);
	struct met met;

	memset(call->bytes, 0, sizeof(call->bytes));
	call->length = TEMPLATE_MOST;
	met = meet(do_look, call);
	if (met.signal) { /* then what lies in the first page */
		call->length = (size_t)(end - call->function) < TEMPLATE_MOST ?
				       (size_t)(end - call->function) : TEMPLATE_MOST;
		meet(do_look, call);
	}
	for (enum kind kind = 0; kind < KINDS; kind++)
		if (matches(&templates[kind], call->bytes))
			return kind;
	return KINDS;
}

static void do_call(void *argument)
{
	struct call *call = argument;

	while (call->times--)
		call->result += (int)code_call(call->function, call->a, call->b, call->c);
}

/* No function writes over itself but where it is meant to. */
static void keep_off(struct call *call, unsigned char *to)
{
	unsigned char *function = call->function;

	if (to < function + TEMPLATE_MOST + 64 && to + call->b > function)
		call->b = to < function ? function - to : 0;
}

static void set_arguments(struct call *call, enum kind kind, const struct op *op)
{
	struct range range = range_at(op->c, 3), other = range_at(op->d, 1);
	unsigned char *to = range.start + PAGE / 2 + (op->c >> 8) % (PAGE / 2);

	call->a = NULL;
	call->b = (int)op->d;
	call->c = (int)(op->d >> 3);
	switch (kind) {
	case LOOP1:
	case LOOP4:
	case LOOP8:
		call->a = (void *)(uintptr_t)(1 + op->d % 6);
		break;
	case FILL:
	case COPY:
		call->a = to;
		call->b = 1 + (op->d >> 8) % (op->d & 1 ? 64 : 2 * PAGE);
		keep_off(call, to);
		if (kind == COPY)
			call->c = (long)(uintptr_t)(other.start + (op->d >> 4) % PAGE);
		break;
	case SELF:
		call->b = 0x40;
		break;
	case READ:
		call->a = to;
		break;
	case STACK: /* nor does it lie where the longest function ends */
		call->a = range.start + PAGE / 2 + 128 + (op->c >> 8) % 1024 / 16 * 16;
		break;
	default:
		break;
	}
}

/* A function that leaves the signal stack there: the handler of its fault would be laid
 * over the frames of the handler that called it. */
static bool would_lose_frames(enum kind kind)
{
	stack_t stack;

	return kind == STACK && !sigaltstack(NULL, &stack) && stack.ss_flags & SS_ONSTACK;
}

/* Whether the bytes may be jumped to: they are code, or nobody has asked to execute
 * them, which is then what is tried. */
static bool may_call(struct call *call, enum kind *kind)
{
	const struct page *page = page_of(call->function);

	/* A fetch from past a file's end raises SIGBUS, or SIGSEGV: known. */
	if (page && page->past_end)
		return false;
	*kind = kind_at(call);
	if (*kind != KINDS)
		return true;
	return !((page ? page->protection : PROT_NONE) & PROT_EXEC) && !(faults_mended() & PROT_EXEC);
}

/* Whether it stores into a page that it lies in. */
static bool stores_beside_itself(const struct call *call, enum kind kind)
{
	uintptr_t first = (uintptr_t)call->function / PAGE;
	uintptr_t last = ((uintptr_t)call->function + TEMPLATE_MOST - 1) / PAGE;
	uintptr_t to = (uintptr_t)call->a;

	return (kind == FILL || kind == COPY) && to / PAGE <= last &&
	       (to + (uintptr_t)call->b) / PAGE >= first;
}

size_t op_call(size_t at)
{
	const struct op *op = &ops[at];
	struct call call = { .times = 1 + op->b % 16 / 14 * 5 };
	enum kind kind;
	struct met met;
	bool crosses;

	call.function = slot(op->a, op->b >> 4, &crosses);
	if (!may_call(&call, &kind) || would_lose_frames(kind)) {
		tell("%zu call %s: no code", at, place(call.function));
		return at + 1;
	}
	set_arguments(&call, kind, op);
	met = meet(do_call, &call);
	if (kind == FILL || kind == COPY)
		call.result = 0; /* an address */
	if (met.signal == SIGBUS && stores_beside_itself(&call, kind))
		met.at = NULL; /* it may be carried out elsewhere: known */
	tell("%zu call %s %s: %ld%s", at, kind == KINDS ? "nothing" : kind_words[kind],
	     place(call.function), met.signal ? 0 : call.result, met_words(&met));
	return at + 1;
}
