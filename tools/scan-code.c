/* scan-code.c: system-call instructions in the code of a file. See scan.h.
 *
 * Their bytes are looked for first, which is quick. Where they are found, the
 * function around them is decoded from its start on, so that only what is an
 * instruction is told, and not two bytes of a constant. Tables lie among code,
 * too, and random bytes are instructions, mostly. So one is believed where the
 * way to it is known: from a function's start, or from where a branch leads to,
 * through what compilers write. Elsewhere a long row of that must lead there, or
 * the number of the call must be in its register.
 *
 * That number is the last constant that came there on the way straight down,
 * from register to register too. */
#include <config.h>

#include "scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef HAVE_ZYDIS

const bool code_can_be_read = false;

void code_look(struct image *image)
{
	(void)image;
}

#else

#include <Zydis/Zydis.h>

const bool code_can_be_read = true;

enum {
	SETTLED = 24,    /* instructions in a row that are believed to be some */
	BEHIND = 8,      /* those behind one are looked at, too */
	NUMBER_MAX = 1024,
	REGISTERS = 16,
	PLACES_MAX = 64, /* told of, in one file */
};

/* One function's system calls of one number. */
struct place {
	const struct function *function;
	uint64_t address, count;
	bool known;
	uint64_t number;
};

struct sweep {
	struct image *image;
	const struct functions *functions;
	ZydisDecoder decoder;
	bool wide; /* 64-bit code */
	struct place places[PLACES_MAX];
	size_t count;
};

/* What the decoder knows on its way through a stretch. */
struct state {
	unsigned in_step; /* instructions since it was out of step */
	struct constant {
		bool known;
		uint32_t value;
	} registers[REGISTERS]; /* as instructions number them: the first is rax */
};

/* ------------------------------------------------ the calls that matter */

static const struct {
	const char *name;
	int wide, narrow; /* x86_64, i386; -1: none */
} calls[] = {
	{ "mmap", 9, 90 }, { "mmap2", -1, 192 }, { "mprotect", 10, 125 },
	{ "mremap", 25, 163 }, { "shmat", 30, 397 }, { "ipc", -1, 117 },
	{ "personality", 135, 136 }, { "remap_file_pages", 216, 257 },
	{ "memfd_create", 319, 356 }, { "pkey_mprotect", 329, 380 },
};

static const char *call_name(uint64_t number, bool wide)
{
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		int known = wide ? calls[i].wide : calls[i].narrow;

		if (known >= 0 && (uint64_t)known == number)
			return calls[i].name;
	}
	return NULL;
}

/* ------------------------------------------------------------- decoding */

static bool is_system_call(const ZydisDecodedInstruction *instruction,
			   const ZydisDecodedOperand *operands)
{
	switch (instruction->mnemonic) {
	case ZYDIS_MNEMONIC_SYSCALL:
	case ZYDIS_MNEMONIC_SYSENTER:
		return true;
	case ZYDIS_MNEMONIC_INT:
		return operands[0].imm.value.u == 0x80;
	default:
		return false;
	}
}

static bool falls_through(const ZydisDecodedInstruction *instruction)
{
	return instruction->meta.category != ZYDIS_CATEGORY_RET &&
	       instruction->meta.category != ZYDIS_CATEGORY_UNCOND_BR;
}

/* The register's number, or -1. Parts of it are the whole. */
static int register_of(const ZydisDecodedOperand *operand)
{
	ZydisRegister whole;

	if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER)
		return -1;
	whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, operand->reg.value);
	if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15)
		return -1;
	return (int)(whole - ZYDIS_REGISTER_RAX);
}

/* What the instruction puts into the register that is its first operand. */
static struct constant result_of(const struct state *state,
				 const ZydisDecodedInstruction *instruction,
				 const ZydisDecodedOperand *operands)
{
	struct constant none = { 0 };
	int from;

	if (instruction->operand_count < 2 || operands[0].size < 32)
		return none;
	from = register_of(&operands[1]);
	if (instruction->mnemonic == ZYDIS_MNEMONIC_MOV) {
		if (operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
			return (struct constant){ true, (uint32_t)operands[1].imm.value.u };
		return from >= 0 ? state->registers[from] : none;
	}
	if (instruction->mnemonic == ZYDIS_MNEMONIC_XOR && from >= 0 &&
	    from == register_of(&operands[0]))
		return (struct constant){ true, 0 };
	return none;
}

/* rax, rcx, rdx, rsi, rdi and r8 to r11 are anybody's: what a call leaves there
 * is not known. The others it gives back. */
static void forget_scratch(struct state *state)
{
	for (int i = 0; i < REGISTERS; i++)
		if (i < 3 || i == 6 || i == 7 || (i >= 8 && i <= 11))
			state->registers[i].known = false;
}

static void follow_constants(struct state *state, const ZydisDecodedInstruction *instruction,
			     const ZydisDecodedOperand *operands)
{
	struct constant result = result_of(state, instruction, operands);

	if (instruction->meta.category == ZYDIS_CATEGORY_CALL)
		forget_scratch(state);
	if (!falls_through(instruction))
		memset(state->registers, 0, sizeof state->registers);
	for (unsigned i = 0; i < instruction->operand_count; i++) {
		int written = register_of(&operands[i]);

		if (written >= 0 && operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
			state->registers[written] = i == 0 ? result : (struct constant){ 0 };
	}
}

static void note_place(struct sweep *sweep, uint64_t address, const struct state *state)
{
	const struct function *function = function_before(sweep->functions, address);
	struct constant number = state->registers[0];
	struct place *place;

	if (function && function->size && !function_holds(function, address))
		function = NULL;
	for (place = sweep->places; place < sweep->places + sweep->count; place++)
		if (place->function == function && place->known == number.known &&
		    (!number.known || place->number == number.value)) {
			place->count++;
			return;
		}
	/* The last one stands for all the others. */
	if (sweep->count == PLACES_MAX) {
		sweep->places[PLACES_MAX - 1].count++;
		return;
	}
	*place = (struct place){ function, address, 1, number.known, number.value };
	sweep->count++;
}

/* Bytes that are decoded together, and what was seen there: a bit for each
 * byte. */
struct stretch {
	const unsigned char *bytes;
	uint64_t size, address;
	unsigned char *starts;  /* an instruction begins here */
	unsigned char *targets; /* a branch leads here */
};

static bool bit(const unsigned char *bits, uint64_t at)
{
	return bits[at / 8] >> at % 8 & 1;
}

static void set_bit(unsigned char *bits, uint64_t at)
{
	bits[at / 8] |= (unsigned char)(1U << at % 8);
}

static bool decode(const struct sweep *sweep, const struct stretch *stretch, uint64_t at,
		   ZydisDecodedInstruction *instruction, ZydisDecodedOperand *operands)
{
	return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&sweep->decoder, stretch->bytes + at,
						   stretch->size - at, instruction, operands));
}

/* Where it leads to, for what has that in itself. */
static bool branch_target(const struct stretch *stretch, uint64_t at,
			  const ZydisDecodedInstruction *instruction,
			  const ZydisDecodedOperand *operands, uint64_t *target)
{
	if (instruction->meta.branch_type != ZYDIS_BRANCH_TYPE_SHORT &&
	    instruction->meta.branch_type != ZYDIS_BRANCH_TYPE_NEAR)
		return false;
	return ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(instruction, &operands[0],
						     stretch->address + at, target));
}

static void find_branches(const struct sweep *sweep, struct stretch *stretch)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction instruction;
	uint64_t target;

	for (uint64_t at = 0; at < stretch->size; at += instruction.length) {
		if (!decode(sweep, stretch, at, &instruction, operands)) {
			instruction.length = 1;
			continue;
		}
		set_bit(stretch->starts, at);
		if (branch_target(stretch, at, &instruction, operands, &target) &&
		    target - stretch->address < stretch->size)
			set_bit(stretch->targets, target - stretch->address);
	}
}

/* What no compiler writes, but random bytes are full of. */
static bool is_odd(const ZydisDecodedInstruction *instruction)
{
	if (instruction->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED ||
	    instruction->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
		return true;
	switch (instruction->meta.category) {
	case ZYDIS_CATEGORY_IO:
	case ZYDIS_CATEGORY_IOSTRINGOP:
	case ZYDIS_CATEGORY_SEGOP:
	case ZYDIS_CATEGORY_X87_ALU:
	case ZYDIS_CATEGORY_DECIMAL:
	case ZYDIS_CATEGORY_FLAGOP:
		return true;
	default:
		break;
	}
	switch (instruction->mnemonic) {
	case ZYDIS_MNEMONIC_XLAT:
	case ZYDIS_MNEMONIC_ENTER:
	case ZYDIS_MNEMONIC_INT1:
	case ZYDIS_MNEMONIC_INTO:
	case ZYDIS_MNEMONIC_IRET:
	case ZYDIS_MNEMONIC_IRETD:
	case ZYDIS_MNEMONIC_IRETQ:
	case ZYDIS_MNEMONIC_LOOP:
	case ZYDIS_MNEMONIC_LOOPE:
	case ZYDIS_MNEMONIC_LOOPNE:
	case ZYDIS_MNEMONIC_JRCXZ:
	case ZYDIS_MNEMONIC_BOUND:
		return true;
	default:
		return false;
	}
}

static bool is_likely(const struct sweep *sweep, const struct stretch *stretch, uint64_t at,
		      const ZydisDecodedInstruction *instruction,
		      const ZydisDecodedOperand *operands)
{
	uint64_t target;

	if (is_odd(instruction))
		return false;
	if (!branch_target(stretch, at, instruction, operands, &target))
		return true;
	if (target - stretch->address < stretch->size)
		return bit(stretch->starts, target - stretch->address);
	return image_is_code(sweep->image, target);
}

static bool likely_behind(const struct sweep *sweep, const struct stretch *stretch, uint64_t at)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction instruction;

	for (int i = 0; i < BEHIND && at < stretch->size; i++, at += instruction.length) {
		if (!decode(sweep, stretch, at, &instruction, operands) ||
		    !is_likely(sweep, stretch, at, &instruction, operands))
			return false;
		/* A call that ends the process is followed by anything. */
		if (!falls_through(&instruction) || is_system_call(&instruction, operands))
			return true;
	}
	return true;
}

static bool believed(const struct state *state)
{
	return state->in_step >= SETTLED || (state->registers[0].known && state->registers[0].value < NUMBER_MAX);
}

static void read_stretch(struct sweep *sweep, const struct stretch *stretch, bool in_step)
{
	struct state state = { .in_step = in_step ? SETTLED : 0 };
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction instruction;

	for (uint64_t at = 0; at < stretch->size; at += instruction.length) {
		if (!decode(sweep, stretch, at, &instruction, operands)) {
			state = (struct state){ 0 };
			instruction.length = 1;
			continue;
		}
		if (bit(stretch->targets, at) && state.in_step)
			state.in_step += SETTLED;
		if (!is_likely(sweep, stretch, at, &instruction, operands)) {
			state = (struct state){ 0 };
			continue;
		}
		if (is_system_call(&instruction, operands) && believed(&state) &&
		    likely_behind(sweep, stretch, at + instruction.length))
			note_place(sweep, stretch->address + at, &state);
		follow_constants(&state, &instruction, operands);
		state.in_step++;
		if (!falls_through(&instruction) &&
		    !(at + instruction.length < stretch->size &&
		      bit(stretch->targets, at + instruction.length)))
			state.in_step = 0;
	}
}

static void sweep_stretch(struct sweep *sweep, const unsigned char *bytes, uint64_t size,
			  uint64_t address, bool in_step)
{
	struct stretch stretch = {
		.bytes = bytes, .size = size, .address = address,
		.starts = scan_allocate(size / 8 + 1, 1),
		.targets = scan_allocate(size / 8 + 1, 1),
	};

	find_branches(sweep, &stretch);
	read_stretch(sweep, &stretch, in_step);
	free(stretch.starts);
	free(stretch.targets);
}

/* The next place from AT on where the bytes of such an instruction are. */
static uint64_t next_candidate(const unsigned char *bytes, uint64_t size, uint64_t at)
{
	for (; at + 1 < size; at++) {
		const unsigned char *second = bytes + at + 1;

		if (bytes[at] == 0x0f && (*second == 0x05 || *second == 0x34))
			return at;
		if (bytes[at] == 0xcd && *second == 0x80)
			return at;
	}
	return size;
}

static void sweep_code(struct sweep *sweep, const unsigned char *bytes, uint64_t size,
		       uint64_t address)
{
	const struct function *end = sweep->functions->list + sweep->functions->count;
	uint64_t at = 0;

	while ((at = next_candidate(bytes, size, at)) < size) {
		const struct function *function = function_before(sweep->functions, address + at);
		const struct function *next = function ? function + 1 : sweep->functions->list;
		uint64_t from = 0, to = size;
		bool in_step = function && function->start >= address;

		if (in_step)
			from = function->start - address;
		/* Behind a function's end lies what has no name: data, perhaps. */
		if (in_step && function->size && !function_holds(function, address + at)) {
			from += function->size;
			in_step = false;
		} else if (in_step && function->size && function->size < size - from) {
			to = from + function->size;
		}
		if (next < end && next->start - address < to)
			to = next->start - address;
		if (!function || !function->data || !function_holds(function, address + at))
			sweep_stretch(sweep, bytes + from, to - from, address + from, in_step);
		at = to;
	}
}

static void sweep_range(struct sweep *sweep, uint64_t offset, uint64_t size, uint64_t address)
{
	unsigned char *bytes = image_bytes(sweep->image, offset, size);

	if (bytes)
		sweep_code(sweep, bytes, size, address);
	free(bytes);
}

static bool sweep_sections(struct sweep *sweep)
{
	Elf_Scn *section = NULL;
	bool any = false;

	while ((section = elf_nextscn(sweep->image->elf, section))) {
		GElf_Shdr header;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_PROGBITS ||
		    (header.sh_flags & (SHF_ALLOC | SHF_EXECINSTR)) != (SHF_ALLOC | SHF_EXECINSTR))
			continue;
		any = true;
		sweep_range(sweep, header.sh_offset, header.sh_size, header.sh_addr);
	}
	return any;
}

static void sweep_segments(struct sweep *sweep)
{
	const struct image *image = sweep->image;

	for (size_t i = 0; i < image->segment_count; i++)
		if (image->segments[i].p_type == PT_LOAD && image->segments[i].p_flags & PF_X)
			sweep_range(sweep, image->segments[i].p_offset,
				    image->segments[i].p_filesz, image->segments[i].p_vaddr);
}

/* ------------------------------------------------------------- telling */

static void tell_place(struct sweep *sweep, const struct place *place)
{
	const char *name = place->known ? call_name(place->number, sweep->wide) : NULL;
	const char *function = place->function ? place->function->name : NULL;
	char what[64], where[64];
	struct finding *finding;

	if (name)
		snprintf(what, sizeof what, "calls %s", name);
	else if (place->known)
		snprintf(what, sizeof what, "makes system call %ju", (uintmax_t)place->number);
	else
		snprintf(what, sizeof what, "makes a system call of no known number");
	if (place->function)
		snprintf(where, sizeof where, "the function at %#jx",
			 (uintmax_t)place->function->start);
	else
		snprintf(where, sizeof where, "%#jx", (uintmax_t)place->address);
	finding = finding_add(sweep->image->details, KIND_RAW_SYSCALL,
			      scan_text("%s by itself in %s%s", what, function ? function : where,
					place->count > 1 ? ", more than once" : ""));
	finding->symbol = function ? scan_text("%s", function) : NULL;
	finding->placed = true;
	finding->address = place->address;
	finding->count = place->count;
	/* One that has nothing to do with memory is worth a note. */
	if (place->known && !name)
		finding->level = LEVEL_NOTE;
}

/* The libraries whose trade it is. */
static bool is_system_library(const struct details *details)
{
	static const char *const names[] = {
		"libc.so.", "ld-linux", "libpthread.so.", "librt.so.", "ld-musl", "libc.musl",
		"libc.so", "libjitmend", "linux-vdso", "linux-gate",
	};

	for (size_t i = 0; details->soname && i < sizeof names / sizeof *names; i++)
		if (strncmp(details->soname, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static bool has(const struct details *details, enum kind kind)
{
	for (size_t i = 0; i < details->count; i++)
		if (details->findings[i].kind == kind)
			return true;
	return false;
}

void code_look(struct image *image)
{
	struct sweep sweep = { .image = image, .wide = image->header.e_machine == EM_X86_64 };

	if (image->header.e_machine != EM_X86_64 && image->header.e_machine != EM_386)
		return;
	/* A static program holds a libc of its own: nothing more to be said. */
	if (has(image->details, KIND_STATIC) || is_system_library(image->details))
		return;
	ZydisDecoderInit(&sweep.decoder,
			 sweep.wide ? ZYDIS_MACHINE_MODE_LONG_64 : ZYDIS_MACHINE_MODE_LEGACY_32,
			 sweep.wide ? ZYDIS_STACK_WIDTH_64 : ZYDIS_STACK_WIDTH_32);
	sweep.functions = functions_of(image);
	if (!sweep_sections(&sweep))
		sweep_segments(&sweep);
	for (size_t i = 0; i < sweep.count; i++)
		tell_place(&sweep, &sweep.places[i]);
}

#endif
