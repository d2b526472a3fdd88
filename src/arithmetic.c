/* arithmetic.c: sums, shifts, and their flags. See arithmetic.h. */
#include "arithmetic.h"

#define FLAGS_OF_RESULT (FLAG_PARITY | FLAG_ZERO | FLAG_SIGN)
#define FLAGS_OF_ARITHMETIC (FLAGS_OF_RESULT | FLAG_CARRY | FLAG_ADJUST | FLAG_OVERFLOW)

uint64_t ones(unsigned bytes)
{
	return bytes >= 8 ? ~0ULL : (1ULL << 8 * bytes) - 1;
}

uint64_t sign_extended(uint64_t value, unsigned bytes)
{
	uint64_t sign = 1ULL << (8 * bytes - 1);

	return ((value & ones(bytes)) ^ sign) - sign;
}

void replace_flags(uint64_t *flags, uint64_t which, uint64_t by)
{
	*flags = (*flags & ~which) | (by & which);
}

static bool is_negative(uint64_t value, unsigned bytes)
{
	return value >> (8 * bytes - 1) & 1;
}

static uint64_t flags_of_result(uint64_t result, unsigned bytes)
{
	unsigned folded = (unsigned)(result ^ result >> 4) & 15u;
	bool odd = 0x6996u >> folded & 1;

	return (odd ? 0 : FLAG_PARITY) | ((result & ones(bytes)) == 0 ? FLAG_ZERO : 0) |
	       (is_negative(result, bytes) ? FLAG_SIGN : 0);
}

/* CARRIES has a bit for every bit of the result that a carry or borrow left. */
static uint64_t flags_of_carries(uint64_t carries, uint64_t overflow, unsigned bytes)
{
	return (is_negative(carries, bytes) ? FLAG_CARRY : 0) | (carries & 8 ? FLAG_ADJUST : 0) |
	       (is_negative(overflow, bytes) ? FLAG_OVERFLOW : 0);
}

uint64_t add(uint64_t a, uint64_t b, unsigned carry, unsigned bytes, uint64_t *flags)
{
	uint64_t sum = (a + b + carry) & ones(bytes);
	uint64_t carries = (a & b) | ((a | b) & ~sum);

	replace_flags(flags, FLAGS_OF_ARITHMETIC,
		      flags_of_result(sum, bytes) |
			      flags_of_carries(carries, (a ^ sum) & (b ^ sum), bytes));
	return sum;
}

uint64_t subtract(uint64_t a, uint64_t b, unsigned borrow, unsigned bytes, uint64_t *flags)
{
	uint64_t difference = (a - b - borrow) & ones(bytes);
	uint64_t borrows = (~a & b) | ((~a | b) & difference);

	replace_flags(flags, FLAGS_OF_ARITHMETIC,
		      flags_of_result(difference, bytes) |
			      flags_of_carries(borrows, (a ^ b) & (a ^ difference), bytes));
	return difference;
}

uint64_t logical(uint64_t result, unsigned bytes, uint64_t *flags)
{
	replace_flags(flags, FLAGS_OF_ARITHMETIC, flags_of_result(result, bytes));
	return result;
}

bool condition_holds(unsigned condition, uint64_t flags)
{
	bool carry = flags & FLAG_CARRY, zero = flags & FLAG_ZERO, sign = flags & FLAG_SIGN;
	bool overflow = flags & FLAG_OVERFLOW, holds = false;

	switch (condition >> 1) {
	case 0: holds = overflow; break;
	case 1: holds = carry; break;
	case 2: holds = zero; break;
	case 3: holds = carry || zero; break;
	case 4: holds = sign; break;
	case 5: holds = flags & FLAG_PARITY; break;
	case 6: holds = sign != overflow; break;
	case 7: holds = zero || sign != overflow; break;
	}
	return holds != (condition & 1);
}

uint64_t shift(enum shift way, uint64_t old, unsigned count, unsigned bytes, uint64_t *flags)
{
	unsigned bits = 8 * bytes;
	uint64_t value, last, overflow;

	if (way == SHIFT_LEFT) {
		value = old << count & ones(bytes);
		last = count <= bits ? old >> (bits - count) : 0;
		overflow = value >> (bits - 1) ^ last;
	} else if (way == SHIFT_RIGHT) {
		value = old >> count;
		last = old >> (count - 1);
		overflow = old >> (bits - 1);
	} else {
		int64_t wide = (int64_t)sign_extended(old, bytes);

		value = (uint64_t)(wide >> count) & ones(bytes);
		last = (uint64_t)(wide >> (count - 1));
		overflow = 0;
	}
	replace_flags(flags, FLAGS_OF_RESULT | FLAG_CARRY | FLAG_OVERFLOW,
		      flags_of_result(value, bytes) | (last & 1 ? FLAG_CARRY : 0) |
			      (overflow & 1 ? FLAG_OVERFLOW : 0));
	return value;
}

uint64_t rotate(bool left, uint64_t old, unsigned count, unsigned bytes, uint64_t *flags)
{
	unsigned bits = 8 * bytes, places = (left ? count : bits - count % bits) % bits;
	uint64_t value = places ? (old << places | old >> (bits - places)) & ones(bytes) : old;
	uint64_t highest = value >> (bits - 1) & 1;
	uint64_t carry = left ? value & 1 : highest;
	uint64_t overflow = left ? highest ^ carry : highest ^ (value >> (bits - 2) & 1);

	replace_flags(flags, FLAG_CARRY | FLAG_OVERFLOW,
		      (carry ? FLAG_CARRY : 0) | (overflow ? FLAG_OVERFLOW : 0));
	return value;
}
