/* settings.c: the environment's words, understood once. See settings.h. */
#include "settings.h"

#include "memory.h"
#include "text.h"

static bool bad(struct settings_error *error, const char *word, size_t length,
		const char *reason)
{
	error->word = word;
	error->length = length;
	error->reason = reason;
	return false;
}

static bool parse_mode(const char *value, enum mode *mode, struct settings_error *error)
{
	if (string_equal(value, "mend"))
		*mode = MODE_MEND;
	else if (string_equal(value, "audit"))
		*mode = MODE_AUDIT;
	else if (string_equal(value, "off"))
		*mode = MODE_OFF;
	else
		return bad(error, value, string_length(value),
			   "is no mode; the modes are mend, audit and off");
	return true;
}

static bool same_word(const char *word, size_t length, const char *name)
{
	return string_length(name) == length && memcmp(word, name, length) == 0;
}

const struct settings_policy_word settings_policy_word[SETTINGS_POLICY_WORDS] = {
	{ "execheap", POLICY_EXECHEAP },
	{ "execmod", POLICY_EXECMOD },
	{ "execmem", POLICY_EXECMEM },
	{ "execstack", POLICY_EXECSTACK },
	{ "noexec-dev", POLICY_NOEXEC_DEV },
	{ "mdwe", POLICY_MDWE },
	{ "seccomp", POLICY_SECCOMP },
	{ "strict", POLICY_STRICT },
	{ "none", POLICY_NONE },
};

static bool refusal_word(const char *word, size_t length, unsigned *policy)
{
	for (size_t i = 0; i < SETTINGS_POLICY_WORDS; i++) {
		if (!same_word(word, length, settings_policy_word[i].name))
			continue;
		*policy |= settings_policy_word[i].bit;
		return true;
	}
	return false;
}

bool settings_parse_policy(const char *value, unsigned *policy, struct settings_error *error)
{
	unsigned set = 0;

	if (*value == '\0')
		return bad(error, NULL, 0, "is empty; give auto, none, strict or a list");
	if (string_equal(value, "auto"))
		return *policy = POLICY_AUTO, true;
	if (string_equal(value, "none"))
		return *policy = POLICY_NONE, true;
	if (string_equal(value, "strict"))
		return *policy = POLICY_STRICT, true;
	for (const char *word = value;; word++) {
		const char *end = word;

		while (*end && *end != ',')
			end++;
		if (same_word(word, (size_t)(end - word), "auto") ||
		    same_word(word, (size_t)(end - word), "none") ||
		    same_word(word, (size_t)(end - word), "strict"))
			return bad(error, word, (size_t)(end - word), "stands alone, in no list");
		if (!refusal_word(word, (size_t)(end - word), &set))
			return bad(error, word, (size_t)(end - word),
				   "is no policy; give auto, none, strict, or a list of execheap, "
				   "execmod, execmem, execstack, noexec-dev, mdwe and seccomp");
		if (*end == '\0')
			break;
		word = end;
	}
	*policy = set;
	return true;
}

bool settings_parse_log(const char *value, struct settings_error *error)
{
	if (*value == '\0')
		return bad(error, NULL, 0, "is empty; give the name of a file");
	for (const char *c = value; *c; c++) {
		if (*c != '%')
			continue;
		c++;
		if (*c != 'p' && *c != '%')
			return bad(error, c - 1, *c ? 2 : 1,
				   "means nothing in a log's name; %p is the process id, %% a percent sign");
	}
	return true;
}

bool settings_parse_backtrace(const char *value, unsigned *frames, struct settings_error *error)
{
	unsigned number = 0;
	const char *c = value;

	for (; *c >= '0' && *c <= '9' && number <= SETTINGS_MOST_FRAMES; c++)
		number = number * 10 + (unsigned)(*c - '0');
	if (*c || number == 0 || number > SETTINGS_MOST_FRAMES)
		return bad(error, value, string_length(value), "is no number from 1 to 64");
	*frames = number;
	return true;
}

static bool parse_children(const char *value, bool *follow, struct settings_error *error)
{
	if (string_equal(value, "follow"))
		*follow = true;
	else if (string_equal(value, "leave"))
		*follow = false;
	else
		return bad(error, value, string_length(value),
			   "is neither follow nor leave");
	return true;
}

static bool parse_trampolines(const char *value, bool *emulate, struct settings_error *error)
{
	if (string_equal(value, "emulate"))
		*emulate = true;
	else if (string_equal(value, "leave"))
		*emulate = false;
	else
		return bad(error, value, string_length(value), "is neither emulate nor leave");
	return true;
}

static bool read_variable(const char *variable, struct settings *settings,
			  struct settings_error *error)
{
	const char *value;

	if ((value = string_after(variable, "JITMEND_MODE="))) {
		error->variable = "JITMEND_MODE";
		return parse_mode(value, &settings->mode, error);
	}
	if ((value = string_after(variable, "JITMEND_POLICY="))) {
		error->variable = "JITMEND_POLICY";
		return settings_parse_policy(value, &settings->policy, error);
	}
	if ((value = string_after(variable, "JITMEND_LOG="))) {
		error->variable = "JITMEND_LOG";
		settings->log = value;
		return settings_parse_log(value, error);
	}
	if ((value = string_after(variable, "JITMEND_BACKTRACE="))) {
		error->variable = "JITMEND_BACKTRACE";
		return settings_parse_backtrace(value, &settings->frames, error);
	}
	if ((value = string_after(variable, "JITMEND_CHILDREN="))) {
		error->variable = "JITMEND_CHILDREN";
		return parse_children(value, &settings->follow, error);
	}
	if ((value = string_after(variable, "JITMEND_TRAMPOLINES="))) {
		error->variable = "JITMEND_TRAMPOLINES";
		return parse_trampolines(value, &settings->trampolines, error);
	}
	return true;
}

struct settings settings_read(char *const *environment, bool secure,
			      struct settings_error *error)
{
	struct settings settings = {
		.mode = MODE_MEND,
		.policy = POLICY_AUTO,
		.frames = SETTINGS_FRAMES,
		.follow = true,
	};

	*error = (struct settings_error){ 0 };
	if (secure)
		return settings;
	for (; *environment; environment++) {
		if (read_variable(*environment, &settings, error))
			continue;
		return (struct settings){ .mode = MODE_OFF, .follow = true };
	}
	error->variable = NULL;
	return settings;
}

bool settings_log_path(const char *pattern, int pid, char *path, size_t size)
{
	struct text text = text_in(path, size);

	for (; *pattern; pattern++) {
		char byte[2] = { *pattern, '\0' };

		if (*pattern == '%' && *++pattern == 'p')
			text_add_number(&text, (uint64_t)pid);
		else
			text_add(&text, byte);
	}
	if (text.cut || size == 0)
		return false;
	path[text.length] = '\0';
	return true;
}
