/* sequence.c: the list of operations: made from a seed, or read from a file, with a
 * line for each: its name and four numbers. See walk.h. */
#include "walk.h"

struct op ops[OPS_MOST];
size_t op_count;

static unsigned all_weights(void)
{
	unsigned sum = 0;

	for (const struct op_kind *kind = op_kinds; kind->name; kind++)
		sum += kind->weight;
	return sum;
}

static unsigned pick(uint32_t number)
{
	unsigned kind = 0;

	number %= all_weights();
	while (number >= op_kinds[kind].weight)
		number -= op_kinds[kind++].weight;
	return kind;
}

/* random_number gives 24 bits. */
static uint32_t number(uint32_t *state)
{
	uint32_t high = random_number(state);

	return high << 12 ^ random_number(state);
}

/* By chance alone a range is hardly ever mapped, written, run, advised and moved. So half
 * of the operations are about one range for a while: all of it, or a page near its
 * beginning (range_at). Every other such range begins where it may lie across a division. */
enum { STAYS = 60, NEAR = 12 };

static struct op stay(struct op op, const struct op *there, uint32_t chance)
{
	if (chance % 2)
		return op;
	op.a = there->a;
	if (chance / 2 % 2)
		op.a += chance / 4 % NEAR * 4;
	else
		op.b = there->b;
	return op;
}

void sequence_make(uint32_t seed, size_t count)
{
	uint32_t state = seed * 2654435761U + 1;
	struct op there = { 0 };

	must(count <= OPS_MOST, "too many operations");
	for (op_count = 0; op_count < count; op_count++) {
		struct op op = {
			.kind = pick(number(&state)),
			.a = number(&state), .b = number(&state),
			.c = number(&state), .d = number(&state),
		};

		if (op_count % STAYS == 0)
			there = op;
		if (op_count % (2 * STAYS) == 0)
			there.a = before_division(op.a);
		ops[op_count] = stay(op, &there, number(&state));
	}
}

static unsigned kind_named(const char *name)
{
	unsigned kind = 0;

	while (op_kinds[kind].name && strcmp(op_kinds[kind].name, name))
		kind++;
	must(op_kinds[kind].name, name);
	return kind;
}

void sequence_read(const char *file)
{
	FILE *stream = fopen(file, "re");
	char line[256], name[32];

	must(stream, file);
	while (fgets(line, sizeof(line), stream)) {
		struct op *op = &ops[op_count];

		if (line[0] == '#' || line[0] == '\n')
			continue;
		must(op_count < OPS_MOST, "too many operations");
		must(sscanf(line, "%31s %x %x %x %x", name, &op->a, &op->b, &op->c, &op->d) == 5,
		     line);
		op->kind = kind_named(name);
		op_count++;
	}
	fclose(stream);
}

void sequence_print(void)
{
	for (const struct op *op = ops; op < ops + op_count; op++)
		printf("%s %x %x %x %x\n", op_kinds[op->kind].name, op->a, op->b, op->c, op->d);
}
