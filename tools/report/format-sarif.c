/* format-sarif.c: SARIF 2.1.0 (OASIS), for code scanning: a rule for each cause,
 * a result for each call site. A result lies where its line of source is, or,
 * where that is not known, in the file that the code is in. */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "../json-values.h"
#include "print.h"

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"
#define ROOT "SRCROOT"

struct document {
	FILE *out;
	const struct model *model;
	const struct options *options;
};

static json_t *text_value(const char *text)
{
	json_t *object = json_object();

	set(object, "text", value_string(text));
	return object;
}

static json_t *texts_value(const char *text, const char *markdown)
{
	json_t *object = text_value(text);

	set(object, "markdown", value_string(markdown));
	return object;
}

/* --------------------------------------------------------------- locations */

static json_t *artifact_value(const struct document *document, const char *path)
{
	const char *relative = relative_to(document->options->source_root, path);
	json_t *object = json_object();

	set(object, "uri", value_uri(relative));
	if (document->options->source_root && relative != path)
		set(object, "uriBaseId", json_string(ROOT));
	return object;
}

/* NULL: generated code, or a module that is no file. */
static json_t *physical_value(const struct document *document, struct frame frame,
			      const struct spot *spot)
{
	json_t *object, *region;

	if (spot && spot->file) {
		object = json_object();
		set(object, "artifactLocation", artifact_value(document, spot->file));
		if (spot->line > 0) {
			region = json_object();
			set(region, "startLine", json_integer(spot->line));
			set(object, "region", region);
		}
		return object;
	}
	if (frame.module == NONE || *document->model->modules[frame.module].path != '/')
		return NULL;
	object = json_object();
	set(object, "artifactLocation",
	    artifact_value(document, document->model->modules[frame.module].path));
	return object;
}

static json_t *logical_value(const char *name)
{
	json_t *array = json_array(), *object = json_object();

	set(object, "fullyQualifiedName", value_string(name));
	set(object, "kind", json_string("function"));
	append(array, object);
	return array;
}

static json_t *location_value(const struct document *document, struct frame frame,
			      uint32_t process)
{
	const struct spot *spot = first_spot(document->model, frame, process);
	char *name = function_name(document->model, frame, process);
	json_t *object = json_object();
	json_t *physical = physical_value(document, frame, spot);

	if (physical)
		set(object, "physicalLocation", physical);
	set(object, "logicalLocations", logical_value(name));
	free(name);
	return object;
}

static json_t *stack_value(const struct document *document, const struct stack *stack,
			   uint32_t process, const char *words)
{
	json_t *object = json_object(), *frames = json_array();

	for (unsigned i = 0; i < stack->count; i++) {
		struct frame at = stack->frames[i];
		json_t *frame = json_object();

		set(frame, "location", location_value(document, at, process));
		if (at.module != NONE)
			set(frame, "module",
			    value_string(document->model->modules[at.module].path));
		append(frames, frame);
	}
	set(object, "message", text_value(words));
	set(object, "frames", frames);
	return object;
}

/* ----------------------------------------------------------------- results */

/* An error is what the program was refused; what was mended wants mending in
 * the source; what was allowed here is refused elsewhere. */
static const char *level_of(const struct site *site)
{
	if (site->dones[DONE_NOT_MENDED])
		return "error";
	return site->dones[DONE_PASSED_ON] == site->count ? "note" : "warning";
}

static json_t *message_value(const struct document *document, const struct site *site,
			     const struct way *way)
{
	const struct advice *advice = &advices[cause_of_site(document->model, site)];
	char *text;
	json_t *value;

	if (asprintf(&text, "%s: %s, %s; %s. %s", call_words[site->call],
		     danger_sentences[site->danger],
		     way ? answer_sentences[way->answer] : "answers were not kept",
		     way ? done_sentences[way->done] : "nor what was done", advice->change) < 0)
		fail("no memory");
	value = text_value(text);
	free(text);
	return value;
}

/* The same from one build to the next where there are names, and on whichever
 * machine. */
static char *fingerprint_place(const struct document *document, const struct site *site,
			       uint32_t process)
{
	const struct model *model = document->model;
	const struct spot *spot = first_spot(model, site->frame, process);
	const struct module *module;
	char *text;
	int length;

	if (spot && spot->function && spot->file) {
		length = asprintf(&text, "%s:%s",
				  relative_to(document->options->source_root, spot->file),
				  spot->function);
	} else if (site->frame.module == NONE) {
		length = asprintf(&text, "generated code");
	} else {
		module = &model->modules[site->frame.module];
		length = asprintf(&text, "%s+0x%" PRIx64,
				  *module->build_id ? module->build_id : module->path,
				  site->frame.offset);
	}
	if (length < 0)
		fail("no memory");
	return text;
}

static json_t *fingerprint_value(const struct document *document, const struct site *site,
				 uint32_t process)
{
	json_t *object = json_object();
	char *place = fingerprint_place(document, site, process), *text;

	if (asprintf(&text, "%s/%s/%s", place, call_words[site->call],
		     danger_words[site->danger]) < 0)
		fail("no memory");
	set(object, "jitmendSite/v1", value_string(text));
	free(place);
	free(text);
	return object;
}

static json_t *properties_value(const struct site *site)
{
	json_t *object = json_object(), *answers = json_object(), *done = json_object();

	for (unsigned i = 0; i < ANSWER_COUNT; i++)
		if (site->answers[i])
			set(answers, answer_words[i], value_number(site->answers[i]));
	for (unsigned i = 0; i < DONE_COUNT; i++)
		if (site->dones[i])
			set(done, done_words[i], value_number(site->dones[i]));
	set(object, "call", json_string(call_words[site->call]));
	set(object, "danger", json_string(danger_words[site->danger]));
	set(object, "requests", value_number(site->count));
	set(object, "processes", value_number(site->processes));
	set(object, "answers", answers);
	set(object, "done", done);
	return object;
}

static json_t *result_value(const struct document *document, const struct site *site,
			    const unsigned *rules)
{
	const struct model *model = document->model;
	const struct way *way = site->ways == NONE ? NULL : &model->ways[site->ways];
	enum cause cause = cause_of_site(model, site);
	json_t *object = json_object(), *locations = json_array(), *stacks = json_array();

	set(object, "ruleId", json_string(advices[cause].id));
	set(object, "ruleIndex", json_integer(rules[cause]));
	set(object, "level", json_string(level_of(site)));
	set(object, "message", message_value(document, site, way));
	append(locations, location_value(document, site->frame, way ? way->process : NONE));
	set(object, "locations", locations);
	if (site->count <= INT32_MAX)
		set(object, "occurrenceCount", value_number(site->count));
	set(object, "partialFingerprints",
	    fingerprint_value(document, site, way ? way->process : NONE));
	if (way && way->stack->count)
		append(stacks, stack_value(document, way->stack, way->process, "The request"));
	if (way && way->origin_stack->count)
		append(stacks, stack_value(document, way->origin_stack, way->process,
					   "Where the memory came from"));
	if (json_array_size(stacks))
		set(object, "stacks", stacks);
	else
		json_decref(stacks);
	set(object, "properties", properties_value(site));
	return object;
}

/* ------------------------------------------------------------------- rules */

static json_t *help_value(const struct advice *advice)
{
	char *text, *markdown;
	json_t *value;
	const struct remedy *remedy = &advice->remedies[0];

	if (asprintf(&text, "%s\n\n%s\n%s\n%s", advice->change, advice->sketch, remedy->words,
		     remedy->snippet) < 0 ||
	    asprintf(&markdown, "%s\n\n```\n%s```\n\nFor the administrator: %s Instead of: %s.\n\n"
				"```\n%s```\n",
		     advice->change, advice->sketch, remedy->words, remedy->instead,
		     remedy->snippet) < 0)
		fail("no memory");
	value = texts_value(text, markdown);
	free(text);
	free(markdown);
	return value;
}

static json_t *rule_value(const struct advice *advice)
{
	json_t *object = json_object();

	set(object, "id", json_string(advice->id));
	set(object, "shortDescription", text_value(advice->title));
	set(object, "fullDescription", text_value(advice->danger));
	set(object, "help", help_value(advice));
	return object;
}

/* The rules of causes that were met, and in RULES the number of each. */
static json_t *rules_value(const struct document *document, uint32_t shown, unsigned *rules)
{
	bool met[CAUSE_COUNT] = { false };
	json_t *array = json_array();

	for (uint32_t i = 0; i < shown; i++)
		met[cause_of_site(document->model, &document->model->sites[i])] = true;
	for (unsigned i = 0; i < CAUSE_COUNT; i++) {
		if (!met[i])
			continue;
		rules[i] = (unsigned)json_array_size(array);
		append(array, rule_value(&advices[i]));
	}
	return array;
}

/* --------------------------------------------------------------------- run */

static json_t *notification_value(const struct problem *problem)
{
	json_t *object = json_object();
	char *text;

	if (problem->line ? asprintf(&text, "%s:%lu: %s", journal_name(problem->journal),
				     problem->line, problem->text) < 0 :
			    asprintf(&text, "%s: %s", journal_name(problem->journal),
				     problem->text) < 0)
		fail("no memory");
	set(object, "level", json_string("error"));
	set(object, "message", text_value(text));
	free(text);
	return object;
}

static json_t *invocations_value(const struct model *model)
{
	json_t *array = json_array(), *object = json_object(), *notifications = json_array();

	for (uint32_t i = 0; i < model->problem_count; i++)
		append(notifications, notification_value(&model->problems[i]));
	set(object, "executionSuccessful", json_boolean(model->broken == 0));
	set(object, "toolExecutionNotifications", notifications);
	append(array, object);
	return array;
}

static json_t *bases_value(const char *root)
{
	json_t *object = json_object(), *base = json_object();
	char *folder;

	if (asprintf(&folder, "%s%s", root, *root && root[strlen(root) - 1] == '/' ? "" : "/") < 0)
		fail("no memory");
	set(base, "uri", value_uri(folder));
	set(object, ROOT, base);
	free(folder);
	return object;
}

static json_t *tool_value(json_t *rules)
{
	json_t *tool = json_object(), *driver = json_object();

	set(driver, "name", json_string("jitmend"));
	set(driver, "semanticVersion", json_string(PACKAGE_VERSION));
	set(driver, "rules", rules);
	set(tool, "driver", driver);
	return tool;
}

void format_sarif(FILE *out, const struct model *model, const struct options *options)
{
	struct document document = { out, model, options };
	unsigned rules[CAUSE_COUNT] = { 0 };
	uint32_t shown = model->site_count;

	if (shown > options->top)
		shown = (uint32_t)options->top;
	fputs("{\"$schema\":\"" SCHEMA "\",\n\"version\":\"2.1.0\",\n\"runs\":[{\"tool\":", out);
	write_value(out, tool_value(rules_value(&document, shown, rules)));
	fputs(",\n\"invocations\":", out);
	write_value(out, invocations_value(model));
	if (options->source_root && *options->source_root == '/') {
		fputs(",\n\"originalUriBaseIds\":", out);
		write_value(out, bases_value(options->source_root));
	}
	fputs(",\n\"results\":[", out);
	for (uint32_t i = 0; i < shown; i++) {
		fputs(i ? ",\n" : "\n", out);
		write_value(out, result_value(&document, &model->sites[i], rules));
	}
	fputs("]}]}\n", out);
}
