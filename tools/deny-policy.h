/* deny-policy.h: the policies that the process takes on itself before it
 * becomes the program. Each call ends the process with a line when the policy
 * cannot be had here: no program runs under less than was asked for. */
#ifndef JITMEND_DENY_POLICY_H
#define JITMEND_DENY_POLICY_H

#include "deny.h"

/* /dev mounted noexec, in a mount namespace of its own (and a user namespace
 * where that takes one). */
void policy_noexec_dev(void);

/* prctl(PR_SET_MDWE). */
void policy_mdwe(void);

/* systemd's filter; the kernel itself answers EPERM. */
void policy_seccomp(void);

/* The filter that asks the supervisor; returns the listener's descriptor. */
int policy_supervised(const struct deny_settings *settings);

#endif
