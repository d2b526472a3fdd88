/* format-folded.c: stacks in a line each, for flame graphs: the program, the
 * frames, outermost first, the request, a blank, and how often. Semicolons part
 * the frames, so that names have none; nor have they blanks. */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>

#include "print.h"
#include "report.h"

static void print_part(FILE *out, const char *name)
{
	for (; *name; name++)
		putc(*name == ';' ? ':' : (unsigned char)*name <= ' ' || *name == 0x7f ? '_' : *name,
		     out);
}

static void print_frame(FILE *out, const struct model *model, struct frame frame,
			uint32_t process)
{
	const struct symbol *symbol = symbols_of(model, frame, process);
	char *name;

	for (unsigned i = symbol ? symbol->count : 0; i > 1; i--) {
		putc(';', out);
		print_part(out, symbol->spots[i - 1].function ? symbol->spots[i - 1].function : "?");
	}
	name = function_name(model, frame, process);
	putc(';', out);
	print_part(out, name);
	free(name);
}

static void print_way(FILE *out, const struct model *model, const struct way *way)
{
	const struct site *site = &model->sites[way->site];
	const struct process *process =
		way->process == NONE ? NULL : &model->processes[way->process];

	print_part(out, process && *process->comm ? process->comm : "?");
	if (way->stack->more)
		fprintf(out, ";[%" PRIu64 "_more]", way->stack->more);
	for (unsigned i = way->stack->count; i > 0; i--)
		print_frame(out, model, way->stack->frames[i - 1], way->process);
	fprintf(out, ";%s_%s%s[%s] %" PRIu64 "\n", call_words[site->call], way->protection,
		*way->protection ? "_" : "", danger_words[site->danger], way->count);
}

void format_folded(FILE *out, const struct model *model, const struct options *options)
{
	for (uint32_t i = 0; i < model->site_count && i < options->top; i++)
		for (uint32_t way = model->sites[i].ways; way != NONE; way = model->ways[way].next)
			print_way(out, model, &model->ways[way]);
}
