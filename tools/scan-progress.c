/* scan-progress.c: one line on a terminal that says how far it is. See scan.h.
 * One thread at a time. */
#include <config.h>

#include "scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 30 };

static bool wanted, shown;

void progress_start(const struct settings_of_scan *settings)
{
	const char *terminal = getenv("TERM");

	wanted = !settings->quiet && isatty(STDERR_FILENO) && terminal &&
		 strcmp(terminal, "dumb") != 0;
}

void progress_show(const char *what, size_t done, size_t total)
{
	static const char full[] = "##############################";
	int filled;

	if (!wanted)
		return;
	shown = true;
	if (!total) {
		fprintf(stderr, "\r\033[K%zu files %s", done, what);
		return;
	}
	filled = (int)(done * BAR_WIDTH / total);
	fprintf(stderr, "\r\033[K[%.*s%*s] %zu of %zu files %s", filled, full,
		BAR_WIDTH - filled, "", done, total, what);
}

void progress_end(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}
