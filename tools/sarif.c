/* sarif.c: see sarif.h. */
#include <config.h>

#include "sarif.h"

#include <stdio.h>

void json_print(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(value);
}

struct sarif sarif_start(void)
{
	return (struct sarif){
		.rules = value_made(json_array()), .results = value_made(json_array()),
		.notifications = value_made(json_array()),
	};
}

void sarif_rule(struct sarif *sarif, const char *id, const char *level, const char *title,
		const char *help)
{
	json_t *rule = value_made(json_pack("{s:s, s:{s:s}, s:{s:s}}", "id", id, "shortDescription",
				      "text", title, "defaultConfiguration", "level", level));

	if (help)
		set(rule, "help", value_made(json_pack("{s:s}", "text", help)));
	append(sarif->rules, rule);
}

static json_t *location_of(const char *path, unsigned line)
{
	json_t *physical = value_made(json_pack("{s:{s:o}}", "artifactLocation", "uri", value_uri(path)));

	if (line)
		set(physical, "region", value_made(json_pack("{s:i}", "startLine", (int)line)));
	return value_made(json_pack("{s:o}", "physicalLocation", physical));
}

void sarif_result(struct sarif *sarif, const struct sarif_result *result)
{
	json_t *location = location_of(result->path, result->line);
	char print[256];

	/* JSON's integers, and so SARIF's addresses, end where INT64_MAX does. */
	if (result->placed && result->address <= INT64_MAX)
		set(json_object_get(location, "physicalLocation"), "address",
		    value_made(json_pack("{s:I}", "absoluteAddress", (json_int_t)result->address)));
	if (result->function)
		set(location, "logicalLocations",
		    value_made(json_pack("[{s:o, s:s}]", "fullyQualifiedName",
				   value_string(result->function), "kind", "function")));
	/* The same finding in the next build of the file has moved. */
	snprintf(print, sizeof print, "%s:%.200s", result->rule,
		 result->function ? result->function : "");
	append(sarif->results,
	       value_made(json_pack("{s:s, s:s, s:{s:o}, s:[o], s:{s:o}}", "ruleId", result->rule,
			      "level", result->level, "message", "text",
			      value_string(result->text), "locations", location,
			      "partialFingerprints", "jitmendFinding/v1", value_string(print))));
}

void sarif_notify(struct sarif *sarif, const char *path, const char *text)
{
	append(sarif->notifications,
	       value_made(json_pack("{s:s, s:{s:o}, s:[o]}", "level", "error", "message", "text",
			      value_string(text), "locations", location_of(path, 0))));
}

void sarif_print(struct sarif *sarif, int status)
{
	bool whole = json_array_size(sarif->notifications) == 0;
	json_t *driver = value_made(json_pack("{s:s, s:s, s:o}", "name", PACKAGE_NAME, "version",
					PACKAGE_VERSION, "rules", sarif->rules));
	json_t *invocation = value_made(json_pack("{s:b, s:i, s:o}", "executionSuccessful", whole,
					    "exitCode", status, "toolExecutionNotifications",
					    sarif->notifications));
	json_t *run = value_made(json_pack("{s:{s:o}, s:[o], s:o}", "tool", "driver", driver,
				     "invocations", invocation, "results", sarif->results));

	json_print(value_made(json_pack("{s:s, s:s, s:[o]}", "$schema",
				  "https://json.schemastore.org/sarif-2.1.0.json", "version",
				  "2.1.0", "runs", run)));
}
