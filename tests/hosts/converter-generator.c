/* converter-generator.c: writes the parser of a data dictionary as machine
 * code: for each field the instructions that fetch it and the call that
 * prints it. */
#include "converter-assembler.h"
#include "converter.h"

#define SIGN_NEGATIVE 13 /* the sign half byte D of a packed number */

static void generate_call(struct assembler *a, uintptr_t function)
{
	emit_first_argument_text(a);
	emit_call(a, function);
}

static void generate_integer(struct assembler *a, const struct field *field)
{
	bool is_signed = field->kind == KIND_SIGNED;

	if (!field->big_endian && is_signed) {
		emit_load_sign_extended(a, field->width, field->offset);
	} else {
		emit_load_zero_extended(a, field->width, field->offset);
		if (field->big_endian)
			emit_swap_bytes(a, field->width);
		if (is_signed)
			emit_sign_extend(a, field->width);
	}
	emit_second_argument_rax(a);
	emit_third_argument(a, field->scale);
	generate_call(a, is_signed ? (uintptr_t)put_signed : (uintptr_t)put_unsigned);
}

static void generate_digit(struct assembler *a, unsigned int offset, bool high)
{
	emit_multiply_rax_by_10(a);
	emit_load_ecx_byte(a, offset);
	if (high)
		emit_high_nibble_ecx(a);
	else
		emit_low_nibble_ecx(a);
	emit_add_rax_rcx(a);
}

/* The digits one after another, without a loop. */
static void generate_decimal(struct assembler *a, const struct field *field)
{
	bool has_sign = field->kind == KIND_PACKED;
	unsigned int digits = 2 * field->width - has_sign;

	emit_clear_rax(a);
	for (unsigned int digit = 0; digit < digits; digit++)
		generate_digit(a, field->offset + digit / 2, digit % 2 == 0);
	if (has_sign) {
		emit_load_ecx_byte(a, field->offset + field->width - 1);
		emit_low_nibble_ecx(a);
		emit_negate_rax_if_ecx_is(a, SIGN_NEGATIVE);
	}
	emit_second_argument_rax(a);
	emit_third_argument(a, field->scale);
	generate_call(a, has_sign ? (uintptr_t)put_signed : (uintptr_t)put_date);
}

static void generate_characters(struct assembler *a, const struct field *field)
{
	emit_second_argument_record(a, field->offset);
	emit_third_argument(a, field->width);
	generate_call(a, (uintptr_t)put_characters);
}

static void generate_separator(struct assembler *a, char character)
{
	emit_second_argument(a, (unsigned char)character);
	generate_call(a, (uintptr_t)put_separator);
}

static void generate_field(struct assembler *a, const struct field *field)
{
	switch (field->kind) {
	case KIND_SIGNED:
	case KIND_UNSIGNED:
		generate_integer(a, field);
		break;
	case KIND_PACKED:
	case KIND_DATE:
		generate_decimal(a, field);
		break;
	case KIND_TEXT:
		generate_characters(a, field);
		break;
	case KIND_FILLER:
		break;
	}
}

size_t generate_parser(const struct dictionary *dictionary,
		       unsigned char *code, size_t capacity)
{
	struct assembler a = {.code = code, .capacity = capacity};
	bool first = true;

	emit_prologue(&a);
	for (size_t i = 0; i < dictionary->count; i++) {
		const struct field *field = &dictionary->fields[i];

		if (field->kind == KIND_FILLER)
			continue;
		if (!first)
			generate_separator(&a, ',');
		first = false;
		generate_field(&a, field);
	}
	generate_separator(&a, '\n');
	emit_epilogue(&a);
	return a.length;
}
