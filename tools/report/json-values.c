/* json-values.c: values of JSON for those formats that are JSON. */
#include <config.h>

#include "json-values.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

/* A symbol's name may be any bytes. */
json_t *value_string(const char *string)
{
	json_t *value = json_string(string);
	char *copy;

	if (value)
		return value;
	copy = duplicate(string);
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	value = json_string(copy);
	free(copy);
	return value;
}

json_t *value_address(uint64_t address)
{
	char text[32];

	snprintf(text, sizeof text, "0x%" PRIx64, address);
	return json_string(text);
}

/* Beyond what JSON's numbers hold exactly there is no such count. */
json_t *value_number(uint64_t number)
{
	return json_integer((json_int_t)number);
}

json_t *value_time(int64_t microseconds)
{
	return json_real((double)microseconds / 1e6);
}

void set(json_t *object, const char *name, json_t *value)
{
	if (!value || json_object_set_new(object, name, value) != 0)
		fail("no memory");
}

void append(json_t *array, json_t *value)
{
	if (!value || json_array_append_new(array, value) != 0)
		fail("no memory");
}

void write_value(FILE *out, json_t *value)
{
	/* A stream that cannot be written to says so at the end. */
	if (json_dumpf(value, out, JSON_COMPACT | JSON_REAL_PRECISION(16) | JSON_ENCODE_ANY) != 0 &&
	    !ferror(out))
		fail("no memory");
	json_decref(value);
}
