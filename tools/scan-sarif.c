/* scan-sarif.c: what was found, for code scanning. See scan.h and sarif.h. */
#include <config.h>

#include "scan.h"

#include <stdlib.h>

#include "sarif.h"

static void add_rule(struct sarif *sarif, const struct kind_words *words)
{
	char *refused = words->policies ? scan_text("Refused by: %s. ", words->policies)
					: scan_text("%s", "");
	char *limit = words->limit ? scan_text("jitmend: %s. ", words->limit)
				   : scan_text("%s", "");
	char *help = scan_text("%s%s%s%s", refused, limit, words->remedy ? "Remedy: " : "",
			       words->remedy ? words->remedy : "");

	sarif_rule(sarif, words->name, level_name(words->level), words->title,
		   *help ? help : NULL);
	free(refused);
	free(limit);
	free(help);
}

static void add_results(struct sarif *sarif, const struct file *file,
			const struct settings_of_scan *settings)
{
	for (size_t i = 0; i < file->details->count; i++) {
		const struct finding *finding = &file->details->findings[i];

		if (!finding_shown(settings, finding))
			continue;
		sarif_result(sarif, &(struct sarif_result){
			.rule = kind_words[finding->kind].name,
			.level = level_name(finding->level), .text = finding->text,
			.path = file->path, .function = finding->symbol,
			.placed = finding->placed, .address = finding->address,
		});
	}
}

void print_sarif(const struct files *files, const struct settings_of_scan *settings,
		 enum status status)
{
	struct sarif sarif = sarif_start();

	for (int kind = 0; kind < KINDS; kind++)
		add_rule(&sarif, &kind_words[kind]);
	for (size_t i = 0; i < files->count; i++)
		if (file_shown(settings, &files->list[i]))
			add_results(&sarif, &files->list[i], settings);
	for (size_t i = 0; i < files->count; i++)
		if (files->list[i].fault)
			sarif_notify(&sarif, files->list[i].path, files->list[i].fault);
	for (size_t i = 0; i < files->fault_count; i++)
		sarif_notify(&sarif, files->faults[i].path, files->faults[i].fault);
	sarif_print(&sarif, status);
}
