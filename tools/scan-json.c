/* scan-json.c: what was found, for programs. See scan.h; jitmend-scan(1) has the
 * fields. A change that a reader could stumble over raises the number in "v". */
#include <config.h>

#include "scan.h"

#include "sarif.h"

enum { FORMAT_VERSION = 1 };

static json_t *finding_json(const struct finding *finding)
{
	const struct kind_words *words = &kind_words[finding->kind];
	json_t *json = json_pack("{s:s, s:s, s:o}", "finding", words->name, "level",
				 level_name(finding->level), "text", value_string(finding->text));

	if (finding->symbol)
		json_object_set_new(json, "function", value_string(finding->symbol));
	if (finding->placed) {
		char address[32];

		snprintf(address, sizeof address, "%#jx", (uintmax_t)finding->address);
		json_object_set_new(json, "address", json_string(address));
		json_object_set_new(json, "count", json_integer((json_int_t)finding->count));
	}
	if (finding->library)
		json_object_set_new(json, "library", value_string(finding->library));
	if (words->policies && finding->level > LEVEL_NOTE)
		json_object_set_new(json, "policies", json_string(words->policies));
	return json;
}

static json_t *file_json(const struct file *file, const struct settings_of_scan *settings)
{
	const struct details *details = file->details;
	json_t *findings = json_array(), *needed = json_array(), *json;

	for (size_t i = 0; i < details->count; i++)
		if (finding_shown(settings, &details->findings[i]))
			json_array_append_new(findings, finding_json(&details->findings[i]));
	for (size_t i = 0; i < details->needed_count; i++)
		json_array_append_new(needed, value_string(details->needed[i]));
	json = json_pack("{s:o, s:s, s:i, s:s, s:s, s:o, s:o}", "path", value_string(file->path),
			 "type", details->type, "bits", details->bits, "machine",
			 details->machine, "verdict", verdict_name(details->verdict), "needed",
			 needed, "findings", findings);
	if (details->why)
		json_object_set_new(json, "why", value_string(details->why));
	return json;
}

static json_t *fault_json(const char *path, const char *fault)
{
	return json_pack("{s:o, s:o}", "path", value_string(path), "text", value_string(fault));
}

static json_t *summary_json(const struct settings_of_scan *settings,
			    const struct summary *summary)
{
	json_t *verdicts = json_object(), *kinds = json_object();

	for (int verdict = 0; verdict < VERDICTS; verdict++)
		json_object_set_new(verdicts, verdict_name(verdict),
				    json_integer((json_int_t)summary->verdicts[verdict]));
	for (int kind = 0; kind < KINDS; kind++)
		if (settings->only >> kind & 1)
			json_object_set_new(kinds, kind_words[kind].name,
					    json_integer((json_int_t)summary->files_with[kind]));
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o}",
			 "elf", (json_int_t)summary->elf, "other", (json_int_t)summary->other,
			 "objects", (json_int_t)summary->objects,
			 "debug", (json_int_t)summary->debug,
			 "faults", (json_int_t)summary->faults,
			 "verdicts", verdicts, "files_with", kinds);
}

void print_json(const struct files *files, const struct settings_of_scan *settings,
		const struct summary *summary)
{
	json_t *shown = json_array(), *faults = json_array();

	for (size_t i = 0; i < files->count; i++)
		if (file_shown(settings, &files->list[i]))
			json_array_append_new(shown, file_json(&files->list[i], settings));
	for (size_t i = 0; i < files->count; i++)
		if (files->list[i].fault)
			json_array_append_new(faults, fault_json(files->list[i].path,
								 files->list[i].fault));
	for (size_t i = 0; i < files->fault_count; i++)
		json_array_append_new(faults, fault_json(files->faults[i].path,
							 files->faults[i].fault));
	json_print(json_pack("{s:i, s:o, s:o, s:o}", "v", FORMAT_VERSION, "files", shown,
			     "faults", faults, "summary", summary_json(settings, summary)));
}
