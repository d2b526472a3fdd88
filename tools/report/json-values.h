/* json-values.h: values of JSON for those formats that are JSON. Memory that is
 * missing ends the program. */
#ifndef JITMEND_REPORT_JSON_VALUES_H
#define JITMEND_REPORT_JSON_VALUES_H

#include <jansson.h>

#include "report.h"

json_t *value_string(const char *string);
json_t *value_address(uint64_t address);
json_t *value_number(uint64_t number);
json_t *value_time(int64_t microseconds); /* seconds */

/* They take VALUE over. */
void set(json_t *object, const char *name, json_t *value);
void append(json_t *array, json_t *value);
void write_value(FILE *out, json_t *value);

#endif
