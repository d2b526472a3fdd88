/* settings.h: what the user asked of jitmend, through the environment.
 *
 * Read once, before anything else, and never again. The same parser serves the
 * wrapper's helper, which looks at the words before the program starts, so that
 * both say the same of a bad one.
 *
 * Freestanding, no locks, no allocation. Strings point into the environment. */
#ifndef JITMEND_SETTINGS_H
#define JITMEND_SETTINGS_H

#include "request.h"

enum mode {
	MODE_OFF,   /* pass everything on; before the library's start, too */
	MODE_MEND,  /* cure what is refused */
	MODE_AUDIT, /* change nothing, tell what would be dangerous */
};

/* The words that name a policy, each a bit. */
struct settings_policy_word {
	const char *name;
	enum policy_word bit;
};

#define SETTINGS_POLICY_WORDS 9u
extern const struct settings_policy_word settings_policy_word[SETTINGS_POLICY_WORDS];

#define SETTINGS_FRAMES 16u
#define SETTINGS_MOST_FRAMES 64u

struct settings {
	enum mode mode;
	unsigned policy;   /* set of enum policy_word; 0 is auto */
	const char *log;   /* pattern of the log file's name; NULL: standard error */
	unsigned frames;   /* of a backtrace at most */
	bool follow;       /* child programs get the library too */
	bool trampolines;  /* carried out on stacks that nobody asked to be executable, too */
};

/* A word that could not be understood: which variable, and which part of it.
 * variable is NULL when all is well. */
struct settings_error {
	const char *variable;
	const char *word;     /* not terminated: see length; NULL: there is none */
	size_t length;
	const char *reason;   /* a clause in English, without a full stop */
};

/* Settings from an environment block. SECURE says that the process runs with
 * AT_SECURE (getauxval(3)): then the environment is somebody else's and every
 * variable is ignored. Where a word is bad, mode is MODE_OFF. */
struct settings settings_read(char *const *environment, bool secure,
			      struct settings_error *error);

/* One variable's value each, for who asks before there is an environment. False and *ERROR
 * filled in where it is bad. */
bool settings_parse_policy(const char *value, unsigned *policy, struct settings_error *error);
bool settings_parse_log(const char *value, struct settings_error *error);
bool settings_parse_backtrace(const char *value, unsigned *frames, struct settings_error *error);

/* The log's name with %p as the process id in decimal and %% as a percent sign.
 * False where it does not fit. */
bool settings_log_path(const char *pattern, int pid, char *path, size_t size);

#endif
