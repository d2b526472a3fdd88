/* tap.h: results of unit tests in the Test Anything Protocol.
 *
 * For single-threaded test programs. Every check is a point of its own; a test
 * program ends with `return tap_done();'. */
#ifndef JITMEND_TESTS_TAP_H
#define JITMEND_TESTS_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failures;

static inline bool tap_point(bool good, const char *what, const char *file, int line)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tap_count, what);
	if (!good) {
		printf("# at %s:%d\n", file, line);
		tap_failures++;
	}
	fflush(stdout);
	return good;
}

static inline bool tap_same(long long got, long long wanted, const char *what, const char *file,
			    int line)
{
	if (got != wanted)
		printf("# got %lld, wanted %lld\n", got, wanted);
	return tap_point(got == wanted, what, file, line);
}

static inline bool tap_same_text(const char *got, const char *wanted, const char *what,
				 const char *file, int line)
{
	bool same = strcmp(got, wanted) == 0;

	if (!same)
		printf("# got '%s', wanted '%s'\n", got, wanted);
	return tap_point(same, what, file, line);
}

#define CHECK(condition, what) tap_point((condition), (what), __FILE__, __LINE__)
#define SAME(got, wanted, what) tap_same((got), (wanted), (what), __FILE__, __LINE__)
#define SAME_TEXT(got, wanted, what) tap_same_text((got), (wanted), (what), __FILE__, __LINE__)

static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failures != 0;
}

#endif
