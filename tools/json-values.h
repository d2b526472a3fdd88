/* json-values.h: values of JSON, for all commands that write it; a thin layer over
 * jansson.
 *
 * Not for several threads at once. Where there is no memory each function ends the
 * process. */
#ifndef JITMEND_JSON_VALUES_H
#define JITMEND_JSON_VALUES_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* A string of any bytes, as paths and symbols are: what is not UTF-8 becomes U+FFFD. */
json_t *value_string(const char *string);

/* A path as a URI (RFC 3986): a file: one where it is absolute, relative otherwise. */
json_t *value_uri(const char *path);

json_t *value_address(uint64_t address);
json_t *value_number(uint64_t number);
json_t *value_time(int64_t microseconds); /* seconds */

/* VALUE, unless it is what jansson gives where there is no memory. */
json_t *value_made(json_t *value);

/* They take VALUE over. */
void set(json_t *object, const char *name, json_t *value);
void append(json_t *array, json_t *value);
void write_value(FILE *out, json_t *value);

#endif
