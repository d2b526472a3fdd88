/* policy.h: what is refused in this process: told by the user, or found out.
 *
 * The host's own request is the probe. A refusal is remembered by danger, so
 * that the kernel is not asked the same again and the administrator's audit log
 * gets one record, not thousands. Nothing is remembered over exec.
 *
 * Any context, no locks: each answer is one word that only ever goes from
 * unknown to known. */
#ifndef JITMEND_POLICY_H
#define JITMEND_POLICY_H

#include "request.h"

/* WORDS: a set of enum policy_word. */
void policy_begin(unsigned words, bool mend);

/* Whether anything is in force here that might refuse: a seccomp filter, SELinux, or
 * a policy that is known. */
bool policy_may_refuse(void);

/* Whether this danger is known to be refused. */
bool policy_refuses(enum danger danger);

/* Whether any danger is. One load. */
bool policy_refuses_any(void);

/* Whether the refusal comes from the user's list: the kernel was never asked. */
bool policy_expected(enum danger danger);

/* Whether the list has the danger's own word: then the kernel need not be asked for
 * what has no cure, either. Words for more may be stricter than the kernel is. */
bool policy_is_told(enum danger danger);

/* Whether the kernel itself has refused it already. */
bool policy_has_refused(enum danger danger);

/* The errno of the refusal: the kernel's, or EACCES where it was expected. */
int policy_error(enum danger danger);

void policy_learn_refusal(enum danger danger, int error);

/* Whether one mapping of a file may be writable and executable (rung 2), and
 * whether mprotect may make it executable: true until the contrary is known, where
 * no word says it. */
bool policy_allows_writable_code(void);
void policy_learn_no_writable_code(void);
bool policy_allows_gain(void);
void policy_learn_no_gain(void);

/* Whether new anonymous memory that is never written may be executable, which
 * MDWE and the seccomp filter allow: true until the contrary is known. */
bool policy_allows_fresh_code(void);
void policy_learn_no_fresh_code(void);

/* How it is known, in the journal's words: "settings" (the user said so), "prctl" or
 * "filter" (asked at start), "requests" (those of the host find out). */
const char *policy_known_from(void);

/* Whether PR_SET_MDWE was in force at start, as the kernel said. */
bool policy_is_mdwe(void);

/* The same, as PR_GET_MDWE has it: a negated errno where the kernel knows none. */
long policy_mdwe_answer(void);

/* Whether a seccomp filter was in force at start. */
bool policy_is_filtered(void);

/* Whether a filter refuses what asks for PROT_EXEC, by a call that the kernel, and
 * so SELinux, would not mind. A filter that kills kills; policy_begin asks in a child,
 * and takes death for a refusal. */
bool policy_filter_refuses_exec(void);

/* Whether private anonymous memory can be made executable, which rung 1 needs;
 * true until the contrary is known. */
bool policy_allows_anonymous(void);
void policy_learn_no_anonymous(void);

/* That, and the refusal itself. */
void policy_learn_execmem(int error);

#endif
