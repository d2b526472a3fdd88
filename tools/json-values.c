/* json-values.c: see json-values.h. */
#include <config.h>

#include "json-values.h"

#include <inttypes.h>
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

json_t *value_made(json_t *value)
{
	return enough(value);
}

json_t *value_string(const char *string)
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

static int is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~/+@,=", c));
}

json_t *value_uri(const char *path)
{
	char *uri = enough(malloc(strlen(path) * 3 + 8)), *to = uri;
	json_t *value;

	if (*path == '/')
		to = stpcpy(to, "file://");
	for (; *path; path++) {
		if (is_plain(*path))
			*to++ = *path;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*path);
	}
	*to = '\0';
	value = json_string(uri);
	free(uri);
	return enough(value);
}

json_t *value_address(uint64_t address)
{
	char text[32];

	snprintf(text, sizeof text, "0x%" PRIx64, address);
	return enough(json_string(text));
}

/* Beyond what JSON's numbers hold exactly there is no such count. */
json_t *value_number(uint64_t number)
{
	return enough(json_integer((json_int_t)number));
}

json_t *value_time(int64_t microseconds)
{
	return enough(json_real((double)microseconds / 1e6));
}

void set(json_t *object, const char *name, json_t *value)
{
	if (!value || json_object_set_new(object, name, value) != 0)
		enough(NULL);
}

void append(json_t *array, json_t *value)
{
	if (!value || json_array_append_new(array, value) != 0)
		enough(NULL);
}

void write_value(FILE *out, json_t *value)
{
	/* A stream that cannot be written to says so at the end. */
	if (json_dumpf(value, out, JSON_COMPACT | JSON_REAL_PRECISION(16) | JSON_ENCODE_ANY) != 0 &&
	    !ferror(out))
		enough(NULL);
	json_decref(value);
}
