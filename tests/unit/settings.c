/* settings.c: the environment's words, good and bad. */
#include "settings.h"

#include "tap.h"

static struct settings read_words(const char *a, const char *b, bool secure,
				  struct settings_error *error)
{
	char *environment[] = { (char *)"PATH=/bin", (char *)a, (char *)b, NULL };

	return settings_read(environment, secure, error);
}

static void defaults(void)
{
	struct settings_error error;
	struct settings s = read_words("HOME=/", "TERM=", false, &error);

	CHECK(!error.variable, "an environment without our words is good");
	SAME(s.mode, MODE_MEND, "the mode is mend");
	SAME(s.policy, POLICY_AUTO, "the policy is auto");
	CHECK(!s.log, "the log is standard error");
	CHECK(s.follow, "children are followed");
}

static void good_words(void)
{
	struct settings_error error;
	struct settings s = read_words("JITMEND_MODE=audit", "JITMEND_LOG=/x/%p.%%", false, &error);

	CHECK(!error.variable, "a mode and a log are good");
	SAME(s.mode, MODE_AUDIT, "the mode is audit");
	SAME_TEXT(s.log, "/x/%p.%%", "the log's pattern is kept");
	s = read_words("JITMEND_POLICY=execheap,noexec-dev", "JITMEND_CHILDREN=leave", false, &error);
	CHECK(!error.variable, "a list is good");
	SAME(s.policy, POLICY_EXECHEAP | POLICY_NOEXEC_DEV, "the list is a set");
	CHECK(!s.follow, "children are left");
	s = read_words("JITMEND_POLICY=execmod,execmem,execstack,mdwe,seccomp", "A=", false, &error);
	SAME(s.policy,
	     POLICY_EXECMOD | POLICY_EXECMEM | POLICY_EXECSTACK | POLICY_MDWE | POLICY_SECCOMP,
	     "every word of a list is known");
}

static void bad_word(const char *variable, const char *name, const char *word)
{
	struct settings_error error;
	struct settings s = read_words(variable, "A=", false, &error);

	if (!CHECK(error.variable != NULL, variable))
		return;
	SAME_TEXT(error.variable, name, "the variable is named");
	CHECK(error.length == strlen(word) &&
	      (error.length == 0 || memcmp(error.word, word, error.length) == 0),
	      "the word is named");
	SAME(s.mode, MODE_OFF, "the library takes no part");
}

static void bad_words(void)
{
	bad_word("JITMEND_MODE=", "JITMEND_MODE", "");
	bad_word("JITMEND_MODE=mended", "JITMEND_MODE", "mended");
	bad_word("JITMEND_POLICY=", "JITMEND_POLICY", "");
	bad_word("JITMEND_POLICY=execheap,exechep", "JITMEND_POLICY", "exechep");
	bad_word("JITMEND_POLICY=execheap,", "JITMEND_POLICY", "");
	bad_word("JITMEND_POLICY=execheap,auto", "JITMEND_POLICY", "auto");
	bad_word("JITMEND_LOG=", "JITMEND_LOG", "");
	bad_word("JITMEND_LOG=a%d", "JITMEND_LOG", "%d");
	bad_word("JITMEND_LOG=a%", "JITMEND_LOG", "%");
	bad_word("JITMEND_CHILDREN=no", "JITMEND_CHILDREN", "no");
}

static void secure_environment(void)
{
	struct settings_error error;
	struct settings s = read_words("JITMEND_MODE=audit", "JITMEND_LOG=/etc/passwd", true, &error);

	CHECK(!error.variable && s.mode == MODE_MEND && !s.log,
	      "under AT_SECURE the environment is ignored");
	s = read_words("JITMEND_MODE=nonsense", "A=", true, &error);
	CHECK(!error.variable, "under AT_SECURE bad words too");
}

static void log_paths(void)
{
	char path[16];

	CHECK(settings_log_path("a%pb%%", 1234, path, sizeof path), "a path fits");
	SAME_TEXT(path, "a1234b%", "%p is the process id, %% a percent sign");
	CHECK(!settings_log_path("0123456789abcdef", 1, path, sizeof path),
	      "a path that is too long is said");
}

int main(void)
{
	defaults();
	good_words();
	bad_words();
	secure_environment();
	log_paths();
	return tap_done();
}
