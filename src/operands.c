/* operands.c: registers, memory and the signal frame. See operands.h. */
#include "config.h"

#ifdef ZYDIS_SONAME

#include "operands.h"

#include <cpuid.h>
#include <signal.h>

#include "arithmetic.h"
#include "memory.h"
#include "sys.h"

/* Where a state component lies in an XSAVE area. */
#define COMPONENT_SSE 1u
#define COMPONENT_YMM 2u     /* upper halves */
#define COMPONENT_ZMM 6u     /* upper halves of 0 to 15 */
#define COMPONENT_HIGH_ZMM 7u /* 16 to 31 */
#define COMPONENTS 8u
static uint32_t component_offsets[COMPONENTS];

void operands_begin(void)
{
	unsigned a, b, c, d;

	for (unsigned i = COMPONENT_YMM; i < COMPONENTS; i++)
		if (__get_cpuid_count(0xd, i, &a, &b, &c, &d) && a != 0)
			component_offsets[i] = b;
}

/* ------------------------------------------------------------------ registers */

static int index_of(unsigned number)
{
	static const unsigned char indices[] = ARCH_GENERAL_REGISTERS;

	return indices[number];
}

static bool place_byte(unsigned number, struct place *place)
{
	/* al cl dl bl, ah ch dh bh, spl bpl sil dil, r8b and so on */
	place->bytes = 1;
	place->high = number >= 4 && number < 8;
	place->index = index_of(number < 4 ? number : number - 4);
	return true;
}

bool place_of(ZydisRegister name, struct place *place)
{
	place->high = false;
	if (name >= ZYDIS_REGISTER_AL && name <= ZYDIS_REGISTER_R15B)
		return place_byte(name - ZYDIS_REGISTER_AL, place);
	if (name >= ZYDIS_REGISTER_AX && name <= ZYDIS_REGISTER_R15W) {
		place->bytes = 2;
		place->index = index_of(name - ZYDIS_REGISTER_AX);
		return true;
	}
	if (name >= ZYDIS_REGISTER_EAX && name <= ZYDIS_REGISTER_R15D) {
		place->bytes = 4;
		place->index = index_of(name - ZYDIS_REGISTER_EAX);
		return true;
	}
	if (name >= ZYDIS_REGISTER_RAX && name <= ZYDIS_REGISTER_R15) {
		place->bytes = 8;
		place->index = index_of(name - ZYDIS_REGISTER_RAX);
		return true;
	}
	return false;
}

uint64_t get_register(const struct work *work, const struct place *place)
{
	uint64_t whole = general_register(work, place->index);

	return (place->high ? whole >> 8 : whole) & ones(place->bytes);
}

void set_register(struct work *work, const struct place *place, uint64_t value)
{
	uint64_t whole = general_register(work, place->index);
	unsigned shift = place->high ? 8 : 0;
	uint64_t kept = place->bytes < 4 ? whole & ~(ones(place->bytes) << shift) : 0;

	work->registers[place->index] =
		(greg_t)(kept | (value & ones(place->bytes)) << shift);
}

/* --------------------------------------------------------------------- memory */

bool segment_base(ZydisRegister segment, uint64_t *base)
{
	*base = 0;
	if (segment != ZYDIS_REGISTER_FS && segment != ZYDIS_REGISTER_GS)
		return true;
	return arch_thread_segment_base(segment == ZYDIS_REGISTER_GS, base);
}

static bool add_register(const struct work *work, ZydisRegister name, unsigned scale, uint64_t *sum)
{
	struct place place;

	if (name == ZYDIS_REGISTER_NONE)
		return true;
	if (name == ZYDIS_REGISTER_RIP || name == ZYDIS_REGISTER_EIP) {
		*sum += work->next;
		return true;
	}
	if (!place_of(name, &place))
		return false;
	*sum += get_register(work, &place) * scale;
	return true;
}

bool address_of(const struct work *work, const ZydisDecodedOperand *operand, uint64_t more,
		       uintptr_t *address)
{
	uint64_t sum = (uint64_t)operand->mem.disp.value + more, base;

	if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY ||
	    operand->mem.type != ZYDIS_MEMOP_TYPE_MEM ||
	    !add_register(work, operand->mem.base, 1, &sum) ||
	    !add_register(work, operand->mem.index, operand->mem.scale, &sum) ||
	    !segment_base(operand->mem.segment, &base))
		return false;
	*address = base + (sum & ones(work->instruction->address_width / 8u));
	return true;
}

/* The page of the fault can be read, if it was there. Elsewhere, and past the end of a file
 * too, a read might fault in turn, here in the handler, so the kernel reads. */
bool read_memory(const struct work *work, uintptr_t from, void *to, size_t length)
{
	uintptr_t page = page_down(arch_fault_address(work->context));

	if (arch_fault_is_store_to_readable(work->context) && page_down(from) == page &&
	    page_down(from + length - 1) == page) {
		memcpy(to, (const void *)from, length);
		return true;
	}
	return sys_read_memory(sys_getpid(), to, from, length) == (long)length;
}

bool read_value(const struct work *work, uintptr_t from, unsigned bytes, uint64_t *value)
{
	*value = 0;
	return read_memory(work, from, value, bytes);
}

bool write_value(const struct work *work, uintptr_t address, unsigned bytes, uint64_t value)
{
	return work->write(address, &value, bytes);
}

/* ------------------------------------------------------------------- operands */

unsigned bytes_of(const ZydisDecodedOperand *operand)
{
	unsigned bytes = operand->size / 8u;

	return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8 ? bytes : 0;
}

bool source_value(const struct work *work, const ZydisDecodedOperand *operand,
			 uint64_t *value)
{
	struct place place;

	if (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		*value = operand->imm.value.u;
		return true;
	}
	if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER || !place_of(operand->reg.value, &place))
		return false;
	*value = get_register(work, &place);
	return true;
}

bool segment_value(const struct work *work, const ZydisDecodedOperand *operand,
			  uint64_t *value)
{
	if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    operand->reg.value < ZYDIS_REGISTER_ES || operand->reg.value > ZYDIS_REGISTER_GS)
		return false;
	*value = arch_segment(work->context, operand->reg.value - ZYDIS_REGISTER_ES);
	return true;
}

/* -------------------------------------------------------------------- vectors */

#define FXSAVE_VECTORS 160u
#define XSAVE_SOFTWARE 464u
#define XSAVE_HEADER 512u

/* What the frame has behind the FXSAVE area; NULL: nothing. */
static const uint64_t *xsave_header(const unsigned char *area)
{
	const struct _fpx_sw_bytes *software = (const void *)(area + XSAVE_SOFTWARE);
	const uint64_t *header = (const void *)(area + XSAVE_HEADER);

	if (software->magic1 != FP_XSTATE_MAGIC1 || software->xstate_size < XSAVE_HEADER + 64)
		return NULL;
	return header;
}

/* A component that is not marked in the header is all zeros. */
static void copy_state(void *to, const unsigned char *from, size_t length, bool marked)
{
	if (marked)
		memcpy(to, from, length);
	else
		memset(to, 0, length);
}

static bool copy_component(const unsigned char *area, unsigned component, size_t at, void *to,
			   size_t length)
{
	const struct _fpx_sw_bytes *software = (const void *)(area + XSAVE_SOFTWARE);
	const uint64_t *header = xsave_header(area);
	size_t offset = component_offsets[component];

	if (!header || header[1] != 0 /* compacted */ || offset == 0 ||
	    !(software->xstate_bv >> component & 1) ||
	    offset + at + length > software->xstate_size)
		return false;
	copy_state(to, area + offset + at, length, header[0] >> component & 1);
	return true;
}

/* The first WIDTH bytes of vector register NUMBER. */
static bool copy_vector(const struct work *work, unsigned number, unsigned width,
			unsigned char *to)
{
	const unsigned char *area = arch_vector_area(work->context);
	const uint64_t *header;

	if (!area)
		return false;
	if (number >= ARCH_VECTORS)
		return copy_component(area, COMPONENT_HIGH_ZMM, (number - ARCH_VECTORS) * 64, to,
				      width);
	header = xsave_header(area);
	copy_state(to, area + FXSAVE_VECTORS + number * 16, 16,
		   !header || header[0] >> COMPONENT_SSE & 1);
	if (width > 16 && !copy_component(area, COMPONENT_YMM, number * 16, to + 16, 16))
		return false;
	return width <= 32 || copy_component(area, COMPONENT_ZMM, number * 32, to + 32, 32);
}

static bool find_vector(ZydisRegister name, unsigned *number, unsigned *width)
{
	static const struct {
		ZydisRegister first, last;
		unsigned width;
	} kinds[] = {
		{ ZYDIS_REGISTER_XMM0, ZYDIS_REGISTER_XMM31, 16 },
		{ ZYDIS_REGISTER_YMM0, ZYDIS_REGISTER_YMM31, 32 },
		{ ZYDIS_REGISTER_ZMM0, ZYDIS_REGISTER_ZMM31, 64 },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (name >= kinds[i].first && name <= kinds[i].last) {
			*number = name - kinds[i].first;
			*width = kinds[i].width;
			return true;
		}
	return false;
}

unsigned vector_value(const struct work *work, const ZydisDecodedOperand *operand, void *to)
{
	unsigned number, width;

	if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    !find_vector(operand->reg.value, &number, &width) ||
	    !copy_vector(work, number, width, to))
		return 0;
	return width;
}

#endif
