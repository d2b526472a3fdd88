/* format-text.c: for people at a terminal. First what was met, call site by call
 * site; then, once for each cause, what to change: most programs have many sites
 * of few causes. */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "print.h"
#include "report.h"

#define WIDTH 79
#define STACK_SHOWN 8u

#define MOST_PRINTED (CAUSE_COUNT * (MOST_REMEDIES + 1) + 1)

/* Under which advice a snippet was printed. */
struct printed {
	const char *snippet, *id; /* NULL at the end */
};

struct page {
	FILE *out;
	const struct model *model;
	const struct options *options;
	struct printed *printed; /* MOST_PRINTED */
};

/* ------------------------------------------------------------------ colors */

static const char *const danger_colors[] = {
	[DANGER_DEVZERO] = "36", [DANGER_EXECHEAP] = "31", [DANGER_EXECMOD] = "35",
	[DANGER_EXECMEM] = "33", [DANGER_EXECSTACK] = "34",
};

#define BOLD "1"
#define FAINT "2"

static void color(const struct page *page, const char *code)
{
	if (page->options->color)
		fprintf(page->out, "\033[%sm", code);
}

static void plain(const struct page *page)
{
	color(page, "0");
}

/* ------------------------------------------------------------------- words */

static void spaces(const struct page *page, int count)
{
	fprintf(page->out, "%*s", count, "");
}

/* A paragraph; the first line has been indented by FIRST already. */
static void paragraph(const struct page *page, int indent, int first, const char *text)
{
	int column = first;
	bool begun = false;

	while (*text) {
		int length = (int)strcspn(text, " ");

		if (begun && column + 1 + length > WIDTH) {
			putc('\n', page->out);
			spaces(page, indent);
			column = indent;
		} else if (begun) {
			putc(' ', page->out);
			column++;
		}
		fprintf(page->out, "%.*s", length, text);
		column += length;
		begun = true;
		text += length;
		text += *text == ' ';
	}
	putc('\n', page->out);
}

static void lines(const struct page *page, int indent, const char *text)
{
	while (*text) {
		int length = (int)strcspn(text, "\n");

		spaces(page, indent);
		color(page, text[0] == '-' ? "31" : text[0] == '+' ? "32" : "0");
		fprintf(page->out, "%.*s", length, text);
		plain(page);
		putc('\n', page->out);
		text += length + (text[length] == '\n');
	}
}

static void label(const struct page *page, const char *word)
{
	color(page, FAINT);
	fprintf(page->out, "     %-9s", word);
	plain(page);
}

/* ------------------------------------------------------------------- places */

static void print_spot(const struct page *page, const struct spot *spot)
{
	if (!spot->file)
		return;
	fputs("  ", page->out);
	color(page, BOLD);
	print_safe(page->out, relative_to(page->options->source_root, spot->file));
	if (spot->line)
		fprintf(page->out, ":%d", spot->line);
	plain(page);
}

static void print_place(const struct page *page, struct frame frame)
{
	char *place = place_name(page->model, frame);

	color(page, FAINT);
	fputs("  ", page->out);
	print_safe(page->out, place);
	plain(page);
	free(place);
}

static void print_function(const struct page *page, const char *name)
{
	char *copy = duplicate(name);

	copy[short_length(copy)] = '\0';
	print_safe(page->out, copy);
	free(copy);
}

/* A frame, and before it what was inlined there, a line each. */
static void print_frame(const struct page *page, struct frame frame, uint32_t process,
			const char *word)
{
	const struct symbol *symbol = symbols_of(page->model, frame, process);
	char *name = function_name(page->model, frame, process);

	label(page, word);
	print_function(page, name);
	if (symbol)
		print_spot(page, &symbol->spots[0]);
	if (symbol && !symbol->spots[0].file && frame.module != NONE)
		print_place(page, frame);
	putc('\n', page->out);
	for (unsigned i = 1; symbol && i < symbol->count; i++) {
		label(page, "");
		print_function(page, symbol->spots[i].function ? symbol->spots[i].function : "?");
		print_spot(page, &symbol->spots[i]);
		fputs("  (inlined above)\n", page->out);
	}
	free(name);
}

static void print_stack(const struct page *page, const struct stack *stack, uint32_t process,
			const char *word)
{
	unsigned shown = stack->count > STACK_SHOWN ? STACK_SHOWN : stack->count;

	for (unsigned i = 0; i < shown; i++)
		print_frame(page, stack->frames[i], process, i ? "" : word);
	if (stack->count + stack->more > shown) {
		label(page, "");
		fputs("... and ", page->out);
		print_counted(page->out, stack->count + stack->more - shown, "more", "more");
		fputs("\n", page->out);
	}
}

/* ------------------------------------------------------------------- a site */

static void print_names(const struct page *page, uint32_t site)
{
	const struct model *model = page->model;
	unsigned shown = 0;
	const char *before = "";

	for (uint32_t i = 0; i < model->share_count && shown < 3; i++) {
		const char *name = model->processes[model->shares[i].process].comm;

		if (model->shares[i].site != site || strcmp(name, before) == 0)
			continue;
		fputs(shown++ ? ", " : " (", page->out);
		print_safe(page->out, name);
		before = name;
	}
	fputs(shown ? ")" : "", page->out);
}

static void print_headline(const struct page *page, uint32_t number)
{
	const struct site *site = &page->model->sites[number];

	color(page, BOLD);
	fprintf(page->out, "%3" PRIu32 "  ", number + 1);
	color(page, danger_colors[site->danger]);
	fprintf(page->out, "%s", danger_words[site->danger]);
	plain(page);
	fprintf(page->out, ": %s, ", danger_sentences[site->danger]);
	color(page, BOLD);
	print_counted(page->out, site->count, "request", "requests");
	plain(page);
	fputs(" in ", page->out);
	print_counted(page->out, site->processes, "process", "processes");
	print_names(page, number);
	putc('\n', page->out);
}

static void print_call(const struct page *page, const struct site *site, const struct way *way)
{
	label(page, "call");
	fprintf(page->out, "%s", call_words[site->call]);
	if (site->call != CALL_SHMAT) {
		fprintf(page->out, " of ");
		print_size(page->out, way->length);
		fprintf(page->out, ", %s", way->protection);
	}
	putc('\n', page->out);
}

static void print_origin(const struct page *page, const struct way *way)
{
	if (!way->origin)
		return;
	label(page, "memory");
	fprintf(page->out, "from %s of ", way->origin);
	print_size(page->out, way->origin_length);
	putc('\n', page->out);
	print_stack(page, way->origin_stack, way->process, "by");
}

static void print_answer(const struct page *page, const struct way *way)
{
	enum mechanism mechanism = mechanism_of_way(page->model, way);

	label(page, "policy");
	fputs(answer_sentences[way->answer], page->out);
	if (way->refusal != REFUSAL_NONE)
		fprintf(page->out, " with %s", refusal_words[way->refusal]);
	if (mechanism != MECHANISM_NONE)
		fprintf(page->out, ": %s", mechanism_words[mechanism]);
	putc('\n', page->out);
	label(page, "done");
	if (way->done == DONE_NOT_MENDED)
		color(page, BOLD);
	fputs(done_sentences[way->done], page->out);
	plain(page);
	putc('\n', page->out);
}

/* Other answers and deeds at the same site than those of the first way. */
static void print_others(const struct page *page, const struct site *site, const struct way *first)
{
	unsigned ways = 0;

	for (uint32_t way = first->next; way != NONE; way = page->model->ways[way].next)
		ways++;
	if (!ways)
		return;
	label(page, "");
	print_counted(page->out, site->count - first->count, "request", "requests");
	fputs(" more came by ", page->out);
	print_counted(page->out, ways, "other way", "other ways");
	if (site->dones[first->done] != site->count)
		for (unsigned done = 0; done < DONE_COUNT; done++)
			if (site->dones[done] && done != first->done)
				fprintf(page->out, "; %" PRIu64 " %s", site->dones[done],
					done_words[done]);
	putc('\n', page->out);
}

/* Where names are missing there is a reason, and often a way. */
static void print_note(const struct page *page, struct frame frame)
{
	const struct module *module;

	if (frame.module == NONE)
		return;
	module = &page->model->modules[frame.module];
	if (!module->note)
		return;
	label(page, "file");
	print_safe(page->out, module->path);
	fputs(": ", page->out);
	print_safe(page->out, module->note);
	putc('\n', page->out);
}

static void print_site(const struct page *page, uint32_t number)
{
	const struct site *site = &page->model->sites[number];
	const struct way *way;

	print_headline(page, number);
	if (site->ways == NONE) {
		label(page, "");
		fputs("too many ways to ask: the stacks were not kept\n", page->out);
		return;
	}
	way = &page->model->ways[site->ways];
	print_call(page, site, way);
	print_stack(page, way->stack, way->process, "at");
	print_note(page, site->frame);
	print_origin(page, way);
	print_answer(page, way);
	print_others(page, site, way);
	label(page, "change");
	fprintf(page->out, "see %s below\n", advices[cause_of_site(page->model, site)].id);
}

/* Of the files that call sites lie in. */
static void print_without_lines(const struct page *page, uint32_t shown)
{
	bool first = true;

	for (uint32_t i = 0; i < page->model->module_count; i++) {
		const struct module *module = &page->model->modules[i];
		bool asked = false;

		if (module->lines || module->state == MODULE_NOT_LOOKED_UP ||
		    module->state == MODULE_NO_FILE)
			continue;
		for (uint32_t site = 0; site < shown && !asked; site++)
			asked = page->model->sites[site].frame.module == i;
		if (!asked)
			continue;
		fputs(first ? "\nNo lines are known of " : ", ", page->out);
		print_safe(page->out, module->path);
		first = false;
	}
	if (!first)
		fputs(".\nTheir debug packages, or DEBUGINFOD_URLS, would tell.\n", page->out);
}

/* ------------------------------------------------------------------ advice */

/* What two causes have in common is printed once: here is where. */
static void print_snippet(const struct page *page, const struct advice *advice,
			  const char *snippet)
{
	struct printed *printed = page->printed;

	for (; printed->id; printed++) {
		if (strcmp(printed->snippet, snippet) != 0)
			continue;
		spaces(page, 18);
		fprintf(page->out, "(as under %s above)\n", printed->id);
		return;
	}
	*printed = (struct printed){ snippet, advice->id };
	lines(page, 18, snippet);
}

static void print_remedies(const struct page *page, const struct advice *advice,
			   unsigned mechanisms)
{
	bool any = false;

	for (int pass = 0; pass < 2 && !any; pass++) {
		for (int i = 0; i < MOST_REMEDIES && advice->remedies[i].words; i++) {
			const struct remedy *remedy = &advice->remedies[i];

			if (pass == 0 && !remedy_fits(remedy, mechanisms))
				continue;
			any = true;
			label(page, "policy");
			paragraph(page, 14, 14, remedy->words);
			print_snippet(page, advice, remedy->snippet);
			label(page, "");
			fprintf(page->out, "instead of: %s\n", remedy->instead);
		}
	}
}

static void print_advice(const struct page *page, const struct advice *advice,
			 unsigned mechanisms)
{
	putc('\n', page->out);
	color(page, BOLD);
	fprintf(page->out, "%s: %s\n", advice->id, advice->title);
	plain(page);
	label(page, "danger");
	paragraph(page, 14, 14, advice->danger);
	label(page, "author");
	paragraph(page, 14, 14, advice->change);
	print_snippet(page, advice, advice->sketch);
	print_remedies(page, advice, mechanisms);
}

static void print_advices(const struct page *page, uint32_t shown)
{
	unsigned mechanisms[CAUSE_COUNT] = { 0 };
	bool met[CAUSE_COUNT] = { false };
	enum cause order[CAUSE_COUNT];
	unsigned count = 0;

	for (uint32_t i = 0; i < shown; i++) {
		const struct site *site = &page->model->sites[i];
		enum cause cause = cause_of_site(page->model, site);

		if (!met[cause])
			order[count++] = cause;
		met[cause] = true;
		mechanisms[cause] |= mechanisms_of_site(page->model, site);
	}
	for (unsigned i = 0; i < count; i++)
		print_advice(page, &advices[order[i]], mechanisms[order[i]]);
}

/* ----------------------------------------------------------------- summary */

static uint64_t sum_of(const struct model *model, bool unseen)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < model->process_count; i++)
		sum += unseen ? model->processes[i].unseen : model->processes[i].lost;
	return sum;
}

static void print_dangers(const struct page *page)
{
	uint64_t counts[DANGER_COUNT] = { 0 };
	bool first = true;

	for (uint32_t i = 0; i < page->model->site_count; i++)
		counts[page->model->sites[i].danger] += page->model->sites[i].count;
	for (unsigned i = 0; i < DANGER_COUNT; i++) {
		if (!counts[i])
			continue;
		fputs(first ? ": " : ", ", page->out);
		color(page, danger_colors[i]);
		fprintf(page->out, "%s ", danger_words[i]);
		plain(page);
		print_count(page->out, counts[i]);
		first = false;
	}
}

static void print_missing(const struct page *page)
{
	uint64_t lost = sum_of(page->model, false), unseen = sum_of(page->model, true);

	if (lost) {
		print_counted(page->out, lost, "line of a journal was", "lines of journals were");
		fputs(" lost when written.\n", page->out);
	}
	if (unseen) {
		print_counted(page->out, unseen, "request", "requests");
		fputs(" more, at call sites whose first line is in none of these journals.\n",
		      page->out);
	}
	if (page->model->crowded) {
		print_counted(page->out, page->model->crowded, "request", "requests");
		fputs(" more, in more places than can be told apart.\n", page->out);
	}
}

static void print_summary(const struct page *page)
{
	const struct model *model = page->model;

	print_counted(page->out, model_requests(model), "request", "requests");
	fputs(" at ", page->out);
	print_counted(page->out, model->site_count, "call site", "call sites");
	fputs(" in ", page->out);
	print_counted(page->out, model->process_count, "process", "processes");
	print_dangers(page);
	putc('\n', page->out);
	print_missing(page);
}

void format_text(FILE *out, const struct model *model, const struct options *options)
{
	struct printed printed[MOST_PRINTED] = { 0 };
	struct page page = { out, model, options, printed };
	uint32_t shown = model->site_count;

	if (shown > options->top)
		shown = (uint32_t)options->top;
	print_summary(&page);
	for (uint32_t i = 0; i < shown; i++) {
		putc('\n', out);
		print_site(&page, i);
	}
	if (shown < model->site_count)
		fprintf(out, "\n%" PRIu32 " more call sites, with fewer requests each (--top).\n",
			model->site_count - shown);
	print_without_lines(&page, shown);
	print_advices(&page, shown);
}
