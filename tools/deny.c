/* deny.c: jitmend-deny, which puts policies in force and becomes the program.
 *
 * This process itself becomes the program, so that process id, parent, signals
 * and status are the program's own. The supervisor must be there before any
 * policy is: it would be bound by the policy, and keep its own filter alive. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "deny-policy.h"
#include "deny-supervisor.h"
#include "deny.h"

static void put_in_force(const struct deny_settings *settings)
{
	int socket = deny_supervised(settings) ? supervisor_start(settings) : -1;

	if (settings->policies & POLICY_NOEXEC_DEV)
		policy_noexec_dev();
	if (settings->policies & POLICY_MDWE)
		policy_mdwe();
	/* With --verbose the supervisor refuses in the filter's place: the
	 * filter itself would tell nobody. */
	if ((settings->policies & POLICY_SECCOMP) && !settings->verbose)
		policy_seccomp();
	if (socket >= 0)
		supervisor_hand_over(socket, policy_supervised(settings));
}

int main(int argc, char **argv)
{
	struct deny_settings settings = { 0 };
	int error;

	deny_options(argc, argv, &settings);
	put_in_force(&settings);
	execvp(settings.program[0], settings.program);
	error = errno;
	deny_fail(error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE, "%s: %s",
		  settings.program[0][0] ? settings.program[0] : "''", strerror(error));
}
