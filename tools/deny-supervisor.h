/* deny-supervisor.h: the process that answers for the SELinux policies.
 *
 * It is no child of the program's, keeps none of the program's descriptors
 * (standard error only with --verbose), belongs to a session of its own, and
 * ends with the last process that the filter watches. */
#ifndef JITMEND_DENY_SUPERVISOR_H
#define JITMEND_DENY_SUPERVISOR_H

#include "deny.h"

/* To be called before the process takes on any policy; returns a socket. */
int supervisor_start(const struct deny_settings *settings);

/* Gives it the listener; returns once it serves. Closes both descriptors. */
void supervisor_hand_over(int socket, int listener);

/* Answers until nobody is left to ask. */
void supervisor_serve(int listener, const struct deny_settings *settings);

#endif
