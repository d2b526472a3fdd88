/* format-json.c: the report for programs, as jitmend-report(1) describes it; both
 * change together, with REPORT_VERSION. It is written piece by piece: only one
 * call site is a tree in memory at a time. The page of format-html.c reads it. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "../json-values.h"
#include "print.h"

struct document {
	FILE *out;
	const struct model *model;
	const struct options *options;
};

/* ------------------------------------------------------------------ frames */

static void set_spot(const struct document *document, json_t *object, const struct spot *spot)
{
	if (spot->function)
		set(object, "function", value_string(spot->function));
	if (!spot->file)
		return;
	set(object, "file",
	    value_string(relative_to(document->options->source_root, spot->file)));
	if (spot->line)
		set(object, "line", json_integer(spot->line));
}

/* Of functions that were inlined, the innermost is the frame's own. */
static json_t *frame_value(const struct document *document, struct frame frame, uint32_t process)
{
	const struct symbol *symbol = symbols_of(document->model, frame, process);
	json_t *object = json_object(), *inlined;

	if (frame.module == NONE) {
		set(object, "unknown", value_address(frame.offset));
	} else {
		set(object, "module", value_string(document->model->modules[frame.module].path));
		set(object, "offset", value_address(frame.offset));
	}
	if (!symbol)
		return object;
	set_spot(document, object, &symbol->spots[0]);
	if (symbol->count == 1)
		return object;
	inlined = json_array();
	for (unsigned i = 1; i < symbol->count; i++) {
		json_t *spot = json_object();

		set_spot(document, spot, &symbol->spots[i]);
		append(inlined, spot);
	}
	set(object, "inlined_into", inlined);
	return object;
}

static json_t *stack_value(const struct document *document, const struct stack *stack,
			   uint32_t process)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < stack->count; i++)
		append(array, frame_value(document, stack->frames[i], process));
	if (stack->more) {
		json_t *object = json_object();

		set(object, "more", value_number(stack->more));
		append(array, object);
	}
	return array;
}

/* ------------------------------------------------------------------- sites */

static json_t *way_value(const struct document *document, const struct way *way)
{
	json_t *object = json_object(), *origin;

	set(object, "count", value_number(way->count));
	if (*way->protection) {
		set(object, "protection", json_string(way->protection));
		set(object, "length", value_number(way->length));
	}
	set(object, "answer", json_string(answer_words[way->answer]));
	if (way->refusal != REFUSAL_NONE)
		set(object, "errno", json_string(refusal_words[way->refusal]));
	set(object, "mechanism",
	    json_string(mechanism_ids[mechanism_of_way(document->model, way)]));
	set(object, "done", json_string(done_words[way->done]));
	if (way->process != NONE)
		set(object, "process", json_integer(way->process));
	set(object, "stack", stack_value(document, way->stack, way->process));
	if (!way->origin)
		return object;
	origin = json_object();
	set(origin, "call", json_string(way->origin));
	set(origin, "length", value_number(way->origin_length));
	set(origin, "stack", stack_value(document, way->origin_stack, way->process));
	set(object, "origin", origin);
	return object;
}

static json_t *shares_value(const struct model *model, uint32_t site, const uint32_t *from)
{
	json_t *array = json_array();

	for (uint32_t i = from[site]; i < from[site + 1]; i++) {
		const struct share *share = &model->shares[i];
		json_t *object = json_object();

		set(object, "process", json_integer(share->process));
		set(object, "count", value_number(share->count));
		append(array, object);
	}
	return array;
}

static json_t *site_value(const struct document *document, uint32_t number, const uint32_t *from)
{
	const struct model *model = document->model;
	const struct site *site = &model->sites[number];
	json_t *object = json_object(), *ways = json_array();

	set(object, "call", json_string(call_words[site->call]));
	set(object, "danger", json_string(danger_words[site->danger]));
	set(object, "advice", json_string(advices[cause_of_site(model, site)].id));
	set(object, "count", value_number(site->count));
	set(object, "first", value_time(site->first));
	set(object, "last", value_time(site->last));
	set(object, "processes", shares_value(model, number, from));
	for (uint32_t way = site->ways; way != NONE; way = model->ways[way].next)
		append(ways, way_value(document, &model->ways[way]));
	set(object, "ways", ways);
	return object;
}

static int by_site(const void *first, const void *second)
{
	const struct share *a = first, *b = second;

	if (a->site != b->site)
		return a->site < b->site ? -1 : 1;
	return a->process < b->process ? -1 : a->process > b->process;
}

/* Where the shares of each site begin, once these are in order. */
static uint32_t *shares_in_order(const struct model *model)
{
	uint32_t *from = calloc(model->site_count + 2, sizeof *from);

	if (!from)
		fail("no memory");
	if (model->share_count)
		qsort(model->shares, model->share_count, sizeof *model->shares, by_site);
	for (uint32_t i = 0; i < model->share_count; i++)
		from[model->shares[i].site + 1]++;
	for (uint32_t i = 0; i < model->site_count; i++)
		from[i + 1] += from[i];
	return from;
}

static void write_sites(const struct document *document)
{
	uint32_t *from = shares_in_order(document->model);
	uint32_t count = document->model->site_count;

	if (count > document->options->top)
		count = (uint32_t)document->options->top;
	fputs(",\n\"sites\":[", document->out);
	for (uint32_t i = 0; i < count; i++) {
		fputs(i ? ",\n" : "\n", document->out);
		write_value(document->out, site_value(document, i, from));
	}
	fputs("]", document->out);
	free(from);
}

/* ------------------------------------------------------------- the smaller */

static json_t *summary_value(const struct model *model)
{
	json_t *object = json_object();
	uint64_t lost = 0, unseen = 0;
	int64_t first, last;

	for (uint32_t i = 0; i < model->process_count; i++) {
		lost += model->processes[i].lost;
		unseen += model->processes[i].unseen;
	}
	model_span(model, &first, &last);
	set(object, "requests", value_number(model_requests(model)));
	set(object, "sites", json_integer(model->site_count));
	set(object, "processes", json_integer(model->process_count));
	set(object, "first", value_time(first));
	set(object, "last", value_time(last));
	set(object, "lines_lost", value_number(lost));
	set(object, "requests_without_site", value_number(unseen));
	set(object, "requests_not_told_apart", value_number(model->crowded));
	set(object, "broken", value_number(model->broken));
	return object;
}

static json_t *journal_value(const struct journal *journal)
{
	json_t *object = json_object();

	set(object, "name", value_string(journal_name(journal->name)));
	set(object, "lines", value_number(journal->lines));
	set(object, "broken", value_number(journal->broken));
	return object;
}

static json_t *problem_value(const struct problem *problem)
{
	json_t *object = json_object();

	set(object, "journal", value_string(journal_name(problem->journal)));
	if (problem->line)
		set(object, "line", value_number(problem->line));
	set(object, "text", value_string(problem->text));
	return object;
}

static json_t *process_value(const struct process *process)
{
	json_t *object = json_object();

	set(object, "pid", json_integer(process->pid));
	set(object, "comm", value_string(process->comm));
	set(object, "journal", json_integer(process->journal));
	set(object, "first", value_time(process->first));
	set(object, "last", value_time(process->last));
	set(object, "requests", value_number(process->requests));
	set(object, "lines_lost", value_number(process->lost));
	if (!process->started)
		return object;
	set(object, "program", value_string(process->program));
	set(object, "kernel", value_string(process->kernel));
	set(object, "machine", value_string(process->machine));
	set(object, "mode", json_string(process->audit ? "audit" : "mend"));
	set(object, "policy", value_string(process->policy));
	set(object, "mdwe", json_boolean(process->mdwe));
	return object;
}

static json_t *module_value(const struct module *module)
{
	static const char *const states[] = {
		[MODULE_NOT_LOOKED_UP] = "not-looked-up", [MODULE_SAME] = "same",
		[MODULE_BY_PATH] = "by-path",             [MODULE_ELSEWHERE] = "elsewhere",
		[MODULE_DIFFERS] = "differs",             [MODULE_GONE] = "gone",
		[MODULE_NO_FILE] = "no-file",             [MODULE_UNREADABLE] = "unreadable",
	};
	json_t *object = json_object();

	set(object, "path", value_string(module->path));
	if (*module->build_id)
		set(object, "build_id", json_string(module->build_id));
	set(object, "state", json_string(states[module->state]));
	if (module->note)
		set(object, "note", value_string(module->note));
	return object;
}

static json_t *remedy_value(const struct remedy *remedy)
{
	json_t *object = json_object();

	set(object, "mechanism", json_string(mechanism_ids[remedy->mechanism]));
	set(object, "text", json_string(remedy->words));
	set(object, "snippet", json_string(remedy->snippet));
	set(object, "instead_of", json_string(remedy->instead));
	return object;
}

static json_t *advice_value(const struct advice *advice)
{
	json_t *object = json_object(), *remedies = json_array();

	set(object, "title", json_string(advice->title));
	set(object, "danger", json_string(advice->danger));
	set(object, "author", json_string(advice->change));
	set(object, "sketch", json_string(advice->sketch));
	for (int i = 0; i < MOST_REMEDIES && advice->remedies[i].words; i++)
		append(remedies, remedy_value(&advice->remedies[i]));
	set(object, "administrator", remedies);
	return object;
}

/* Of the causes that were met. */
static json_t *advices_value(const struct model *model)
{
	json_t *object = json_object();

	for (uint32_t i = 0; i < model->site_count; i++) {
		const struct advice *advice = &advices[cause_of_site(model, &model->sites[i])];

		if (!json_object_get(object, advice->id))
			set(object, advice->id, advice_value(advice));
	}
	return object;
}

/* ---------------------------------------------------------------- pictures */

static json_t *number_or_null(uint32_t number)
{
	return number == NONE ? json_null() : json_integer(number);
}

static void write_marks(const struct document *document)
{
	const struct model *model = document->model;

	fprintf(document->out, ",\n\"timeline\":{\"width\":%.6f,\"marks\":[",
		(double)model->mark_width / 1e6);
	for (uint32_t i = 0; i < model->mark_count; i++) {
		const struct mark *mark = &model->marks[i];
		json_t *array = json_array();

		append(array, value_time(mark->time));
		append(array, number_or_null(mark->process));
		append(array, number_or_null(mark->site));
		append(array, json_string(danger_words[mark->danger]));
		append(array, value_number(mark->count));
		fputs(i ? ",\n" : "\n", document->out);
		write_value(document->out, array);
	}
	fputs("]}", document->out);
}

static void write_ranges(const struct document *document)
{
	const struct model *model = document->model;

	fprintf(document->out, ",\n\"memory\":{\"width\":%llu,\"ranges\":[",
		(unsigned long long)model->range_width);
	for (uint32_t i = 0; i < model->range_count; i++) {
		const struct range *range = &model->ranges[i];
		json_t *array = json_array();

		append(array, value_address(range->start));
		append(array, value_address(range->end));
		append(array, number_or_null(range->process));
		append(array, number_or_null(range->site));
		append(array, json_string(danger_words[range->danger]));
		append(array, value_number(range->count));
		fputs(i ? ",\n" : "\n", document->out);
		write_value(document->out, array);
	}
	fputs("]}", document->out);
}

static void member(const struct document *document, const char *name, json_t *value)
{
	fprintf(document->out, ",\n\"%s\":", name);
	write_value(document->out, value);
}

static void begin_list(const struct document *document, const char *name)
{
	fprintf(document->out, ",\n\"%s\":[", name);
}

static void item(const struct document *document, uint32_t number, json_t *value)
{
	fputs(number ? ",\n" : "\n", document->out);
	write_value(document->out, value);
}

void format_json(FILE *out, const struct model *model, const struct options *options)
{
	struct document document = { out, model, options };

	fprintf(out, "{\"v\":%d,\n\"jitmend\":\"%s\"", REPORT_VERSION, PACKAGE_VERSION);
	member(&document, "summary", summary_value(model));
	begin_list(&document, "journals");
	for (uint32_t i = 0; i < model->journal_count; i++)
		item(&document, i, journal_value(&model->journals[i]));
	fputs("]", out);
	begin_list(&document, "problems");
	for (uint32_t i = 0; i < model->problem_count; i++)
		item(&document, i, problem_value(&model->problems[i]));
	fputs("]", out);
	begin_list(&document, "processes");
	for (uint32_t i = 0; i < model->process_count; i++)
		item(&document, i, process_value(&model->processes[i]));
	fputs("]", out);
	begin_list(&document, "modules");
	for (uint32_t i = 0; i < model->module_count; i++)
		item(&document, i, module_value(&model->modules[i]));
	fputs("]", out);
	write_sites(&document);
	member(&document, "advice", advices_value(model));
	write_marks(&document);
	write_ranges(&document);
	fputs("}\n", out);
}
