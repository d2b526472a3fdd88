/* probe.c: what the probe makes of answers and of what it reads, where this machine
 * has none of it: SELinux's labels, PaX, kernels with false denials. */
#include "probe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "tap.h"

/* The other parts of the probe end with it. */
void probe_fail(enum probe_status status, const char *format, ...)
{
	(void)format;
	exit((int)status);
}

/* As if each request had been tried under these policies. */
static struct probe_report report_under(unsigned policies)
{
	struct probe_report report = { .context = { .mdwe = policies & POLICY_MDWE ? 1 : 0 } };
	struct refusal refusal;

	if (policies & POLICY_SECCOMP)
		report.context.filter_mprotect.answer = ANSWER_REFUSED;
	report.context.mounts[0] = (struct probe_mount){
		.path = "/dev/zero", .there = true, .noexec = policies & POLICY_NOEXEC_DEV,
	};
	report.context.mount_count = 1;
	for (unsigned i = 0; i < probe_request_count; i++) {
		struct probe_result *result = &report.results[i];

		*result = (struct probe_result){ .answer = ANSWER_OK, .how = HOW_TRIED };
		if (!probe_foresee(&probe_requests[i], policies, false, &refusal))
			continue;
		result->answer = ANSWER_REFUSED;
		result->error = refusal.error;
	}
	report.backing_count = 1;
	report.backings[0] = (struct probe_result){ .answer = ANSWER_OK, .how = HOW_TRIED };
	return report;
}

static struct probe_result *row(struct probe_report *report, const char *name)
{
	return &report->results[probe_index(name)];
}

static void check_looks(void)
{
	static const struct {
		unsigned policies;
		const char *label, *looks, *words;
	} table[] = {
		{ 0, "", NULL, "" },
		{ POLICY_EXECHEAP, "unconfined_u:unconfined_r:unconfined_t:s0", "Fedora",
		  "execheap" },
		{ POLICY_EXECHEAP | POLICY_EXECMOD | POLICY_EXECSTACK,
		  "unconfined_u:unconfined_r:unconfined_t:s0", "openSUSE",
		  "execheap,execmod,execstack" },
		{ POLICY_EXECHEAP | POLICY_EXECMOD | POLICY_EXECSTACK | POLICY_EXECMEM,
		  "unconfined_u:unconfined_r:unconfined_t:s0", "Debian's reference policy, or",
		  "execheap,execmod,execmem" },
		{ POLICY_EXECMEM, "system_u:system_r:httpd_t:s0", "a confined domain", "execmem" },
		{ POLICY_EXECMOD, "system_u:system_r:httpd_t:s0", "SELinux with booleans",
		  "execmod" },
		{ POLICY_MDWE, "", "systemd's MemoryDenyWriteExecute= (253", "mdwe" },
		{ POLICY_SECCOMP, "", "systemd's MemoryDenyWriteExecute= by", "seccomp" },
		{ POLICY_NOEXEC_DEV, "", "systemd's PrivateDevices=", "noexec-dev" },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct probe_report report = report_under(table[i].policies);
		char words[256];

		if (*table[i].label)
			report.context.selinux = SELINUX_ENFORCING;
		snprintf(report.context.label, sizeof report.context.label, "%s", table[i].label);
		probe_judge(&report);
		probe_policy_words(&report, words, sizeof words);
		SAME_TEXT(words, table[i].words, table[i].looks ? table[i].looks : "nothing");
		if (!table[i].looks)
			SAME(report.look_count, 0, "nothing looks like nothing");
		else
			CHECK(report.look_count == 1 &&
				      strncmp(report.looks[0], table[i].looks,
					      strlen(table[i].looks)) == 0, report.looks[0]);
	}
}

static void check_labels(void)
{
	char type[64];

	CHECK(probe_is_selinux_label("system_u:system_r:container_t:s0:c1,c2"), "SELinux's label");
	CHECK(!probe_is_selinux_label("docker-default (enforce)"), "AppArmor's is none");
	CHECK(!probe_is_selinux_label("a:b:c (complain)"), "even with colons");
	CHECK(!probe_is_selinux_label("unconfined"), "nor is a word");
	probe_label_type("system_u:system_r:container_t:s0:c1,c2", type, sizeof type);
	SAME_TEXT(type, "container_t", "the type in it");
	probe_label_type("user_u:user_r:user_t", type, sizeof type);
	SAME_TEXT(type, "user_t", "without a level");
	probe_label_type("docker-default (enforce)", type, sizeof type);
	SAME_TEXT(type, "", "none in AppArmor's");
}

static void check_status(void)
{
	struct probe_context context = { 0 };

	probe_read_status("PaX:\tPeMRs\n", &context);
	probe_read_status("Seccomp_filters:\t3\n", &context);
	probe_read_status("NoNewPrivs:\t1\n", &context);
	probe_read_status("Name:\tPaX:\n", &context);
	SAME_TEXT(context.pax, "PeMRs", "PaX's flags");
	SAME(context.filters, 3, "filters");
	CHECK(context.no_new_privs, "no_new_privs");
}

static void check_pax(void)
{
	struct probe_report report = report_under(0);

	snprintf(report.context.pax, sizeof report.context.pax, "PeMRs");
	row(&report, "anon-rwx")->answer = ANSWER_WRONG;
	probe_judge(&report);
	SAME_TEXT(row(&report, "anon-rwx")->by, "pax", "given, but does not run: PaX");
	SAME(row(&report, "anon-rwx")->rung, -1, "which no rung sees");
	SAME(probe_exit_status(&report), PROBE_SOMETHING_REFUSED, "and counts as refused");
}

static void check_overlap(void)
{
	static const struct {
		const char *release;
		bool overlap;
	} table[] = {
		{ "6.5.13", false }, { "6.6.0", true }, { "6.10.3-arch1", true },
		{ "6.11.0-rc4", true }, { "6.11.0-rc5", false }, { "6.11.2", false },
		{ "6.12.9", false }, { "5.10.0-28-amd64", false }, { "7.6.1", false },
		{ "", false },
	};
	struct probe_report report = report_under(POLICY_EXECHEAP);

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		SAME(probe_is_overlap_kernel(table[i].release), table[i].overlap, table[i].release);
	*row(&report, "brk-beyond-rx") = (struct probe_result){
		.answer = ANSWER_REFUSED, .how = HOW_TRIED, .error = EACCES,
	};
	snprintf(report.context.release, sizeof report.context.release, "6.6.0");
	probe_judge(&report);
	CHECK(report.overlap, "a false denial is told");
	snprintf(report.context.release, sizeof report.context.release, "6.12.0");
	probe_judge(&report);
	CHECK(!report.overlap, "but not of another kernel");
	report = report_under(POLICY_EXECHEAP);
	snprintf(report.context.release, sizeof report.context.release, "6.6.0");
	probe_judge(&report);
	CHECK(!report.overlap, "nor where the kernel was mended");
}

static void check_unexplained(void)
{
	struct probe_report report = report_under(0);
	struct probe_result *dual = row(&report, "memfd-flip");

	*dual = (struct probe_result){ .answer = ANSWER_REFUSED, .how = HOW_TRIED, .error = EPERM };
	*row(&report, "anon-rwx") = *dual;
	probe_judge(&report);
	CHECK(!row(&report, "anon-rwx")->by, "what no policy explains is by nobody known");
	SAME(report.policies, 0, "and makes none of them refused");
	SAME(row(&report, "anon-rwx")->cure, NO, "a rung whose way fails is no cure");
}

static void check_quiet(void)
{
	struct probe_report report = report_under(POLICY_MDWE);

	report.quiet = true;
	for (unsigned i = 0; i < probe_request_count; i++)
		report.results[i] = (struct probe_result){ .answer = ANSWER_NOT_ASKED };
	report.backings[0] = (struct probe_result){ .answer = ANSWER_NOT_ASKED };
	probe_judge(&report);
	SAME(row(&report, "anon-rwx")->answer, ANSWER_REFUSED, "what MDWE refuses is known");
	SAME(row(&report, "anon-rwx")->how, HOW_ASKED, "by asking");
	SAME(row(&report, "anon-rwx")->cure, UNKNOWN, "whether the cure works is not");
	SAME(row(&report, "anon-rx")->answer, ANSWER_NOT_ASKED, "nor is what it allows");
	SAME(report.refusals, 0, "nothing was refused by trying");
}

int main(void)
{
	check_looks();
	check_labels();
	check_status();
	check_pax();
	check_overlap();
	check_unexplained();
	check_quiet();
	return tap_done();
}
