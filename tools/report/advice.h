/* advice.h: what a danger is, in words, and what can be changed about it: by the
 * program's author, and by whoever has the policy in hand.
 *
 * Pure, but that a model is looked at. */
#ifndef JITMEND_REPORT_ADVICE_H
#define JITMEND_REPORT_ADVICE_H

#include "report.h"

/* Why a program meets a danger: one danger may have different causes. */
enum cause {
	CAUSE_DEVZERO,
	CAUSE_HEAP,
	CAUSE_FILE,
	CAUSE_TEXT_RELOCATION,
	CAUSE_BOTH_AT_ONCE,
	CAUSE_IN_TURN,
	CAUSE_STACK,
	CAUSE_SEGMENT,
	CAUSE_COUNT,
};

/* Who refused. */
enum mechanism {
	MECHANISM_NONE, /* nobody, as far as is known */
	MECHANISM_SELINUX,
	MECHANISM_MDWE,
	MECHANISM_SECCOMP,
	MECHANISM_NOEXEC_DEV,
	MECHANISM_SETTINGS,
	MECHANISM_COUNT,
};

/* Narrower than what it stands INSTEAD of. */
struct remedy {
	enum mechanism mechanism;
	const char *words, *snippet, *instead;
};

#define MOST_REMEDIES 3

struct advice {
	const char *id;      /* a word, for programs */
	const char *title;
	const char *danger;
	const char *change;
	const char *sketch;
	struct remedy remedies[MOST_REMEDIES]; /* words NULL: no more */
};

extern const struct advice advices[CAUSE_COUNT];
extern const char *const mechanism_ids[MECHANISM_COUNT];   /* for programs */
extern const char *const mechanism_words[MECHANISM_COUNT]; /* for people */
extern const char *const answer_sentences[ANSWER_COUNT];
extern const char *const done_sentences[DONE_COUNT];
extern const char *const danger_sentences[DANGER_COUNT];

enum cause cause_of_way(const struct model *model, const struct way *way);
enum cause cause_of_site(const struct model *model, const struct site *site);
enum mechanism mechanism_of_way(const struct model *model, const struct way *way);

/* The mechanisms that answered at a site, as bits. */
unsigned mechanisms_of_site(const struct model *model, const struct site *site);

/* Whether a remedy speaks to one of these mechanisms; nobody refused: to all. */
bool remedy_fits(const struct remedy *remedy, unsigned mechanisms);

#endif
