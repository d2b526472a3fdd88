/* sarif.c: see sarif.h. */
#include <config.h>

#include "sarif.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static void *enough(void *memory)
{
	if (memory)
		return memory;
	fputs("jitmend: out of memory\n", stderr);
	exit(125);
}

static json_t *pack(json_t *value)
{
	return enough(value);
}

json_t *json_text(const char *string)
{
	size_t length = strlen(string), size = 6 * length + 4;
	char *buffer = enough(malloc(size));
	struct text text = text_in(buffer, size);
	json_t *value;

	text_add_json(&text, string, length);
	value = json_loadb(buffer, text.length, JSON_DECODE_ANY, NULL);
	free(buffer);
	return enough(value);
}

void json_print(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(value);
}

static void append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		enough(NULL);
}

static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		enough(NULL);
}

struct sarif sarif_start(void)
{
	return (struct sarif){
		.rules = pack(json_array()), .results = pack(json_array()),
		.notifications = pack(json_array()),
	};
}

void sarif_rule(struct sarif *sarif, const char *id, const char *level, const char *title,
		const char *help)
{
	json_t *rule = pack(json_pack("{s:s, s:{s:s}, s:{s:s}}", "id", id, "shortDescription",
				      "text", title, "defaultConfiguration", "level", level));

	if (help)
		set(rule, "help", pack(json_pack("{s:s}", "text", help)));
	append(sarif->rules, rule);
}

/* RFC 3986; an absolute path becomes a file: URI, another stays relative. */
static json_t *uri_of(const char *path)
{
	char *uri = enough(malloc(3 * strlen(path) + 8)), *end = uri;
	json_t *value;

	if (*path == '/')
		end = stpcpy(end, "file://");
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (c < 0x80 && (isalnum(c) || strchr("/-._~+,@", c)))
			*end++ = (char)c;
		else
			end += sprintf(end, "%%%02X", c);
	}
	*end = '\0';
	value = pack(json_string(uri));
	free(uri);
	return value;
}

static json_t *location_of(const char *path, unsigned line)
{
	json_t *physical = pack(json_pack("{s:{s:o}}", "artifactLocation", "uri", uri_of(path)));

	if (line)
		set(physical, "region", pack(json_pack("{s:i}", "startLine", (int)line)));
	return pack(json_pack("{s:o}", "physicalLocation", physical));
}

void sarif_result(struct sarif *sarif, const struct sarif_result *result)
{
	json_t *location = location_of(result->path, result->line);
	char print[256];

	/* JSON's integers, and so SARIF's addresses, end where INT64_MAX does. */
	if (result->placed && result->address <= INT64_MAX)
		set(json_object_get(location, "physicalLocation"), "address",
		    pack(json_pack("{s:I}", "absoluteAddress", (json_int_t)result->address)));
	if (result->function)
		set(location, "logicalLocations",
		    pack(json_pack("[{s:o, s:s}]", "fullyQualifiedName",
				   json_text(result->function), "kind", "function")));
	/* The same finding in the next build of the file has moved. */
	snprintf(print, sizeof print, "%s:%.200s", result->rule,
		 result->function ? result->function : "");
	append(sarif->results,
	       pack(json_pack("{s:s, s:s, s:{s:o}, s:[o], s:{s:o}}", "ruleId", result->rule,
			      "level", result->level, "message", "text",
			      json_text(result->text), "locations", location,
			      "partialFingerprints", "jitmendFinding/v1", json_text(print))));
}

void sarif_notify(struct sarif *sarif, const char *path, const char *text)
{
	append(sarif->notifications,
	       pack(json_pack("{s:s, s:{s:o}, s:[o]}", "level", "error", "message", "text",
			      json_text(text), "locations", location_of(path, 0))));
}

void sarif_print(struct sarif *sarif, int status)
{
	bool whole = json_array_size(sarif->notifications) == 0;
	json_t *driver = pack(json_pack("{s:s, s:s, s:o}", "name", PACKAGE_NAME, "version",
					PACKAGE_VERSION, "rules", sarif->rules));
	json_t *invocation = pack(json_pack("{s:b, s:i, s:o}", "executionSuccessful", whole,
					    "exitCode", status, "toolExecutionNotifications",
					    sarif->notifications));
	json_t *run = pack(json_pack("{s:{s:o}, s:[o], s:o}", "tool", "driver", driver,
				     "invocations", invocation, "results", sarif->results));

	json_print(pack(json_pack("{s:s, s:s, s:[o]}", "$schema",
				  "https://json.schemastore.org/sarif-2.1.0.json", "version",
				  "2.1.0", "runs", run)));
}
