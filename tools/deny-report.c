/* deny-report.c: the lines of --verbose. See deny-report.h. */
#include <config.h>

#include "deny-report.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "deny-look.h"
#include "text.h"

enum { PATIENCE = 1000 }; /* ms */

static unsigned long lost;

/* A reader that is stopped, or is itself supervised and waits for us, must not
 * stop every program. A pipe that polls writable has room for PIPE_BUF bytes,
 * more than a line is. */
static void write_line(struct text *line)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
	/* Once a line was lost, the next ones do not wait again. */
	int ready = poll(&out, 1, lost ? 0 : PATIENCE);

	if (ready != 1 || !(out.revents & POLLOUT)) {
		lost++;
		return;
	}
	if (write(STDERR_FILENO, line->buffer, text_end_line(line)) > 0)
		lost = 0;
}

static void add_lost(struct text *line)
{
	if (!lost)
		return;
	text_add(line, " (");
	text_add_number(line, lost);
	text_add(line, " lines before this one were lost)");
}

/* As the audit log has it, so that what reads that reads this. */
static void begin(struct text *line, const char *who, const char *permission, pid_t thread)
{
	char name[32];

	look_at_name(thread, name);
	text_add(line, "jitmend: ");
	text_add(line, who);
	text_add(line, ":  denied  { ");
	text_add(line, permission);
	text_add(line, " } for  pid=");
	text_add_number(line, (uint64_t)look_at_process(thread));
	text_add(line, " comm=\"");
	text_add_quoted(line, name, sizeof name);
	text_add(line, "\"");
}

static void add_protection(struct text *line, unsigned protection)
{
	text_add(line, protection & PROT_READ ? "r" : "-");
	text_add(line, protection & PROT_WRITE ? "w" : "-");
	text_add(line, protection & PROT_EXEC ? "x" : "-");
}

static void add_call(struct text *line, const struct asked *asked)
{
	static const char *const names[] = {
		[ASKED_MMAP] = "mmap", [ASKED_MPROTECT] = "mprotect", [ASKED_SHMAT] = "shmat",
	};

	text_add(line, " call=");
	text_add(line, names[asked->call]);
	text_add(line, " address=");
	text_add_hex(line, asked->address);
	text_add(line, " length=");
	text_add_number(line, asked->length);
	text_add(line, " prot=");
	add_protection(line, asked->protection);
}

static void add_area(struct text *line, const struct area *area)
{
	text_add(line, " area=");
	text_add_hex(line, area->start);
	text_add(line, "-");
	text_add_hex(line, area->end);
	text_add(line, ",");
	add_protection(line, area->protection);
	if (!area->name[0])
		return;
	text_add(line, " path=\"");
	text_add_quoted(line, area->name, sizeof area->name);
	text_add(line, "\"");
}

/* SELinux asks execmod of the file, the others of the process. */
static const char *class_of(const struct refusal *refusal)
{
	const char *name = refusal->area ? refusal->area->name : "";

	if (strcmp(refusal->permission, "execmod") != 0)
		return "process";
	if (strncmp(name, "/dev/", 5) == 0 && strncmp(name, "/dev/shm/", 9) != 0)
		return "chr_file";
	return "file";
}

void report_refusal(const struct deny_settings *settings, pid_t thread,
		    const struct asked *asked, const struct refusal *refusal)
{
	char buffer[1024];
	struct text line = text_in(buffer, sizeof buffer);

	if (!settings->verbose)
		return;
	begin(&line, refusal->who, refusal->permission, thread);
	add_call(&line, asked);
	if (refusal->area)
		add_area(&line, refusal->area);
	if (strcmp(refusal->who, "avc") == 0) {
		text_add(&line, " tclass=");
		text_add(&line, class_of(refusal));
	}
	text_add(&line, refusal->error == EPERM ? " errno=EPERM" : " errno=EACCES");
	add_lost(&line);
	write_line(&line);
}

static void begin_note(struct text *line, pid_t thread)
{
	char name[32];

	look_at_name(thread, name);
	text_add(line, "jitmend: ");
	text_add_quoted(line, name, sizeof name);
	text_add(line, "[");
	text_add_number(line, (uint64_t)look_at_process(thread));
	text_add(line, "]: ");
}

void report_unseen(const struct deny_settings *settings, pid_t thread,
		   const struct asked *asked)
{
	char buffer[512];
	struct text line = text_in(buffer, sizeof buffer);

	if (!settings->verbose)
		return;
	begin_note(&line, thread);
	text_add(&line, "its memory is not to be seen, let through:");
	add_call(&line, asked);
	write_line(&line);
}

void report_personality(const struct deny_settings *settings, pid_t thread,
			uint64_t personality)
{
	char buffer[512];
	struct text line = text_in(buffer, sizeof buffer);

	if (!settings->verbose || (uint32_t)personality == 0xffffffff)
		return;
	begin_note(&line, thread);
	text_add(&line, "personality(READ_IMPLIES_EXEC): calls that ask READ alone now ask "
			"EXEC too and are not supervised; give --read-implies-exec");
	write_line(&line);
}
