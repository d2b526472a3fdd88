/* print.h: what a person reads: names that cannot do harm to a terminal, numbers,
 * times, places. A malloc'd string is the caller's. */
#ifndef JITMEND_REPORT_PRINT_H
#define JITMEND_REPORT_PRINT_H

#include "report.h"

/* Control characters (C0, C1, and those that turn the direction of writing)
 * and backslashes are printed as \ooo. */
void print_safe(FILE *out, const char *string);

const char *base_name(const char *path);
void print_count(FILE *out, uint64_t count); /* 1,234,567 */
void print_size(FILE *out, uint64_t bytes);  /* 64 KiB */
void print_counted(FILE *out, uint64_t count, const char *one, const char *many);

/* Whether there is a spot with more than the module and the offset. */
const struct spot *first_spot(const struct model *model, struct frame frame, uint32_t process);
char *function_name(const struct model *model, struct frame frame, uint32_t process);
char *place_name(const struct model *model, struct frame frame); /* /bin/tcc+0x12 */
size_t short_length(const char *name); /* of a function's, without arguments' types */
const char *journal_name(const char *name);

/* PATH without ROOT where it lies below it; ROOT may be NULL. */
const char *relative_to(const char *root, const char *path);

#endif
