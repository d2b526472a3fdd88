/* arithmetic.h: what the processor's instructions compute, with their flags.
 *
 * Numbers have BYTES bytes, 1, 2, 4 or 8, and are given and returned in the low
 * part of a word, the rest of which is 0. FLAGS is the flags register: what an
 * instruction leaves alone stays, what it leaves undefined is anything.
 *
 * Pure. The words and rules are those of Intel's manual, volume 2. */
#ifndef JITMEND_ARITHMETIC_H
#define JITMEND_ARITHMETIC_H

#include <stdbool.h>
#include <stdint.h>

#define FLAG_CARRY 0x1u
#define FLAG_PARITY 0x4u
#define FLAG_ADJUST 0x10u
#define FLAG_ZERO 0x40u
#define FLAG_SIGN 0x80u
#define FLAG_DIRECTION 0x400u
#define FLAG_OVERFLOW 0x800u
#define FLAG_RESUME 0x10000u

uint64_t ones(unsigned bytes);
uint64_t sign_extended(uint64_t value, unsigned bytes);

/* Of the flags WHICH, those in BY. */
void replace_flags(uint64_t *flags, uint64_t which, uint64_t by);

uint64_t add(uint64_t a, uint64_t b, unsigned carry, unsigned bytes, uint64_t *flags);
uint64_t subtract(uint64_t a, uint64_t b, unsigned borrow, unsigned bytes, uint64_t *flags);

/* The flags after AND, OR and XOR. */
uint64_t logical(uint64_t result, unsigned bytes, uint64_t *flags);

/* COUNT is 1 or more, and less than 32 or, of 8 bytes, 64. */
enum shift { SHIFT_LEFT, SHIFT_RIGHT, SHIFT_SIGNED };
uint64_t shift(enum shift way, uint64_t old, unsigned count, unsigned bytes, uint64_t *flags);
uint64_t rotate(bool left, uint64_t old, unsigned count, unsigned bytes, uint64_t *flags);

/* What setcc and its kin ask for, by the low four bits of the opcode. */
bool condition_holds(unsigned condition, uint64_t flags);

#endif
