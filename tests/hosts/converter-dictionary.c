/* converter-dictionary.c: reads a data dictionary.
 *
 * One field a line, in the order of the record:
 *
 *	NAME TYPE [width=BYTES] [scale=PLACES]
 *
 * Empty lines and those that begin with # are comments. */
#include "converter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH_MAX 4096
#define PACKED_WIDTH_MAX 9 /* 17 digits: they fit into 64 bits */
#define SCALE_MAX 18

struct type {
	const char *name;
	enum kind kind;
	unsigned int width; /* 0: the line says it */
	bool big_endian;
};

static const struct type types[] = {
	{"uint8", KIND_UNSIGNED, 1, false},
	{"uint16le", KIND_UNSIGNED, 2, false},
	{"uint16be", KIND_UNSIGNED, 2, true},
	{"uint32le", KIND_UNSIGNED, 4, false},
	{"uint32be", KIND_UNSIGNED, 4, true},
	{"uint64le", KIND_UNSIGNED, 8, false},
	{"uint64be", KIND_UNSIGNED, 8, true},
	{"int8", KIND_SIGNED, 1, false},
	{"int16le", KIND_SIGNED, 2, false},
	{"int16be", KIND_SIGNED, 2, true},
	{"int32le", KIND_SIGNED, 4, false},
	{"int32be", KIND_SIGNED, 4, true},
	{"int64le", KIND_SIGNED, 8, false},
	{"int64be", KIND_SIGNED, 8, true},
	{"packed", KIND_PACKED, 0, false},
	{"date", KIND_DATE, 4, false},
	{"text", KIND_TEXT, 0, false},
	{"filler", KIND_FILLER, 0, false},
};

/* Where in which file, for messages. */
struct place {
	const char *path;
	int line;
};

static const struct type *find_type(const char *name, const struct place *place)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	refuse("%s:%d: unknown type '%s'", place->path, place->line, name);
}

static void read_property(struct field *field, const char *word, const struct place *place)
{
	char rest;

	if (sscanf(word, "width=%u%c", &field->width, &rest) == 1)
		return;
	if (sscanf(word, "scale=%u%c", &field->scale, &rest) == 1)
		return;
	refuse("%s:%d: '%s' is no property of a field", place->path, place->line, word);
}

static void check_field(const struct field *field, const struct type *type,
			const struct place *place)
{
	if (type->width && field->width != type->width)
		refuse("%s:%d: type %s is %u bytes wide", place->path, place->line,
		       type->name, type->width);
	if (field->width == 0 || field->width > WIDTH_MAX)
		refuse("%s:%d: field %s needs a width from 1 to %d", place->path,
		       place->line, field->name, WIDTH_MAX);
	if (field->kind == KIND_PACKED && field->width > PACKED_WIDTH_MAX)
		refuse("%s:%d: a packed field has at most %d bytes", place->path,
		       place->line, PACKED_WIDTH_MAX);
	if (field->scale > SCALE_MAX)
		refuse("%s:%d: more than %d decimal places", place->path, place->line,
		       SCALE_MAX);
}

/* False for a line without a field. */
static bool read_field(struct field *field, char *line, const struct place *place)
{
	static const char blanks[] = " \t\r\n";
	char *rest;
	const char *name = strtok_r(line, blanks, &rest);
	const char *type_name = strtok_r(NULL, blanks, &rest);
	const struct type *type;

	if (!name || name[0] == '#')
		return false;
	if (!type_name)
		refuse("%s:%d: field %s has no type", place->path, place->line, name);
	type = find_type(type_name, place);
	*field = (struct field){
		.kind = type->kind,
		.width = type->width,
		.big_endian = type->big_endian,
	};
	if (strlen(name) >= sizeof(field->name))
		refuse("%s:%d: the name is too long", place->path, place->line);
	strcpy(field->name, name);
	for (char *word = strtok_r(NULL, blanks, &rest); word;
	     word = strtok_r(NULL, blanks, &rest))
		read_property(field, word, place);
	check_field(field, type, place);
	return true;
}

static void append_field(struct dictionary *dictionary, const struct field *field)
{
	size_t bytes = (dictionary->count + 1) * sizeof(*field);

	dictionary->fields = realloc(dictionary->fields, bytes);
	if (!dictionary->fields)
		fail("realloc");
	dictionary->fields[dictionary->count] = *field;
	dictionary->fields[dictionary->count].offset = dictionary->record_length;
	dictionary->count++;
	dictionary->record_length += field->width;
}

void read_dictionary(struct dictionary *dictionary, const char *path)
{
	struct place place = {.path = path};
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t capacity = 0;
	struct field field;

	if (!file)
		fail(path);
	*dictionary = (struct dictionary){0};
	while (getline(&line, &capacity, file) >= 0) {
		place.line++;
		if (read_field(&field, line, &place))
			append_field(dictionary, &field);
	}
	if (ferror(file))
		fail(path);
	free(line);
	fclose(file);
	if (!dictionary->count)
		refuse("%s: describes no field", path);
}
