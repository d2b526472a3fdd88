/* sarif.h: findings in files as SARIF 2.1.0 (OASIS), which code scanning
 * services read.
 *
 * Not for several threads at once. Each function ends the process where there
 * is no memory. What is made here is written and freed by sarif_print(). */
#ifndef JITMEND_SARIF_H
#define JITMEND_SARIF_H

#include <stdbool.h>
#include <stdint.h>

#include "json-values.h"

/* JSON on standard output, indented, with a newline at its end; frees it. */
void json_print(json_t *value);

struct sarif {
	json_t *rules, *results, *notifications;
};

struct sarif sarif_start(void);

/* HELP may be NULL. */
void sarif_rule(struct sarif *sarif, const char *id, const char *level, const char *title,
		const char *help);

struct sarif_result {
	const char *rule;
	const char *level;    /* "note", "warning" or "error" */
	const char *text;
	const char *path;     /* of a file, as the user named it */
	unsigned line;        /* 0: not known */
	const char *function; /* or NULL */
	bool placed;          /* ADDRESS is known */
	uint64_t address;     /* in the file's own addresses */
};

void sarif_result(struct sarif *sarif, const struct sarif_result *result);

/* Something that went wrong with the tool's own work: a file that it cannot
 * read. */
void sarif_notify(struct sarif *sarif, const char *path, const char *text);

void sarif_print(struct sarif *sarif, int status);

#endif
