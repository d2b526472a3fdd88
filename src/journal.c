/* journal.c: sites, and when to say what. See journal.h. */
#include "journal.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <time.h>

#include "backtrace.h"
#include "config.h"
#include "engine.h"
#include "hash.h"
#include "lock.h"
#include "memory.h"
#include "output.h"
#include "policy.h"
#include "provenance.h"
#include "record.h"
#include "sys.h"
#include "tables.h"

#define SITES 1024u /* a power of two */
#define PROBES 16u
#define LINE_SIZE 65536

/* KEY 0 is a free place. */
struct site {
	_Atomic uint64_t key;
	_Atomic uint64_t count;
	_Atomic uint64_t written; /* of the count, as the journal has it; 0: not even the event */
	/* What the event said, for the holder of the lock. */
	enum call call;
	unsigned stack;
};

static const struct settings *settings;
static char program[16];
static const char *program_path; /* NULL: what /proc/self/exe leads to */

/* What is too large for .bss, or for a stack that may be a small one. All but the
 * sites is for the holder of the lock. */
struct table {
	struct site sites[SITES];
	char line[LINE_SIZE];
	char path[1024];
	struct utsname kernel;
	struct stack stack, origin_stack;
};

static table_place place;
static atomic_bool wanted;    /* it is made for the first event */
static atomic_bool met_any;   /* site; most processes end, and fork, without */
static struct site overflow; /* of sites that found no place */
static _Atomic uint64_t lost;
static atomic_int process;    /* whose counts these are */
static atomic_int started_by; /* process that has its first line */

/* NULL: there is no journal. Once there is one it stays. */
static struct table *table_now(void)
{
	return atomic_load_explicit(&place, memory_order_acquire);
}

/* The journal's own memory comes last: once that is there it is at work. */
static bool make_room(void)
{
	return module_make_room() && stacks_make_room() && provenance_make_room() &&
	       tables_make(&place, sizeof(struct table));
}

static struct table *table_to_fill(void)
{
	struct table *table = table_now();

	if (!table && atomic_load_explicit(&wanted, memory_order_relaxed) && make_room())
		table = table_now();
	return table;
}

/* ------------------------------------------------------------------ lines */

static struct record_head head_now(void)
{
	struct timespec now = { 0 };

	SYS_CALL(SYS_clock_gettime, CLOCK_REALTIME, &now, 0, 0, 0, 0);
	return (struct record_head){
		.program = program,
		.pid = sys_getpid(),
		.tid = sys_gettid(),
		.time = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
	};
}

/* With the lock. */
static bool put(const struct record *record)
{
	static void (*const forms[])(struct text *, const struct record *) = {
		[OUTPUT_STDERR] = words_record,
		[OUTPUT_FILE] = json_record,
		[OUTPUT_SYSLOG] = syslog_record,
		[OUTPUT_JOURNALD] = journald_record,
	};
	char *line = table_now()->line;
	struct text text = text_in(line, LINE_SIZE);

	forms[output_kind()](&text, record);
	return output_write(line, text.length);
}

/* The line that every process begins its output with, and that one which was
 * opened anew goes on with. False where it is not there. */
static bool put_start(void)
{
	struct table *table = table_now();
	struct record record = { .kind = RECORD_START, .head = head_now() };
	int pid = sys_getpid();
	bool continues = atomic_load(&started_by) == pid;
	bool anew = output_refresh();
	long length;

	if (continues && !anew)
		return true;
	if (!program_path) {
		length = sys_readlink("/proc/self/exe", table->path, sizeof table->path - 1);
		table->path[sys_failed(length) ? 0 : length] = '\0';
	}
	SYS_CALL(SYS_uname, &table->kernel, 0, 0, 0, 0, 0);
	record.start = (struct record_start){
		.version = PACKAGE_VERSION,
		.path = program_path ? program_path : table->path,
		.release = table->kernel.release,
		.machine = table->kernel.machine,
		.policy_from = policy_known_from(),
		.mdwe = policy_is_mdwe(),
		.unwinder = backtrace_unwinder(),
		.settings = settings,
		.continues = continues,
	};
	if (!put(&record)) {
		atomic_store(&started_by, 0);
		return false;
	}
	if (atomic_load(&process) == pid)
		atomic_store(&started_by, pid);
	return true;
}

static void put_lost(void)
{
	struct record record = { .kind = RECORD_LOST, .head = head_now() };

	record.lost = atomic_exchange(&lost, 0);
	if (record.lost && !put(&record))
		atomic_fetch_add(&lost, record.lost);
}

/* With the lock. False where the line is lost. */
static bool put_line(const struct record *record)
{
	if (!put_start() || !put(record)) {
		atomic_fetch_add(&lost, 1);
		return false;
	}
	put_lost(); /* now that there is room again */
	return true;
}

/* ------------------------------------------------------------------ sites */

static uint64_t key_of(const struct event *event)
{
	uint64_t key = (uint64_t)event->request->call_site * HASH_FACTOR;

	key ^= (uint64_t)event->request->call << 8 | (uint64_t)event->danger << 16 |
	       (uint64_t)event->outcome << 24 | (uint64_t)event->refused << 32 |
	       (uint64_t)event->expected << 33;
	key ^= (uint64_t)provenance_stack_at(event->address) << 40;
	return (key ^ key >> 29) | 1;
}

static struct site *site_of(struct table *table, const struct event *event)
{
	uint64_t key = key_of(event);

	for (unsigned i = 0; i < PROBES; i++) {
		struct site *site = &table->sites[((key >> 20) + i) % SITES];
		uint64_t seen = atomic_load(&site->key);

		if (seen == key ||
		    (seen == 0 && atomic_compare_exchange_strong(&site->key, &seen, key)) ||
		    seen == key)
			return site;
	}
	return &overflow;
}

/* A child of vfork is on its parent's memory, whose counts are not its own: what
 * it asks is written each time, as is what found no place. The thread that has the
 * process's own id is in it, which saves asking. */
static bool counts_are_ours(const struct event *event, const struct site *site)
{
	int ours = atomic_load(&process);

	return site != &overflow && (event->thread == ours || ours == sys_getpid());
}

static unsigned number_of(const struct site *site)
{
	return site == &overflow ? SITES + 1 : (unsigned)(site - table_now()->sites) + 1;
}

static unsigned note_stack(const struct event *event)
{
	struct stack site;

	if (!event->alone)
		return stacks_note(event->request->call_site);
	site.count = 1;
	site.places[0] = module_place(event->request->call_site);
	return stacks_keep(&site);
}

static void write_event(const struct event *event, struct site *site)
{
	struct table *table = table_now();
	struct record record = { .kind = RECORD_EVENT, .head = head_now() };
	unsigned number = note_stack(event);
	struct provenance origin;
	bool has_origin = provenance_find(event->address, event->length, &origin);
	bool counts = counts_are_ours(event, site);
	uint64_t mask;

	record.event = (struct record_event){ .event = event, .site = number_of(site) };
	lock_take(&mask);
	site->call = event->request->call;
	site->stack = number;
	if (stacks_get(number, &table->stack))
		record.event.stack = &table->stack;
	if (has_origin)
		record.event.origin = &origin;
	if (has_origin && stacks_get(origin.stack, &table->origin_stack))
		record.event.origin_stack = &table->origin_stack;
	/* Another thread may have been quicker. */
	if (!(counts && atomic_load(&site->written)) && put_line(&record) && counts)
		atomic_store(&site->written, 1);
	lock_release(&mask);
}

/* Counts only rise: whoever read his before another wrote leaves it. */
static void write_count(struct site *site)
{
	struct table *table = table_now();
	struct record record = { .kind = RECORD_COUNT, .head = head_now() };
	uint64_t mask;

	lock_take(&mask);
	record.count = (struct record_count){
		.site = number_of(site), .call = site->call, .count = atomic_load(&site->count),
	};
	if (stacks_get(site->stack, &table->stack))
		record.count.stack = &table->stack;
	if (record.count.count > atomic_load(&site->written) && put_line(&record))
		atomic_store(&site->written, record.count.count);
	lock_release(&mask);
}

static bool is_power_of_ten(uint64_t count)
{
	while (count % 10 == 0)
		count /= 10;
	return count == 1;
}

/* A count is no use to a reader that has not met the site: another thread may
 * still be writing it, or its line was lost. */
void journal_event(const struct event *event)
{
	struct table *table = table_to_fill();
	struct site *site;
	uint64_t count;

	if (!table)
		return;
	if (!atomic_load_explicit(&met_any, memory_order_relaxed))
		atomic_store(&met_any, true);
	site = site_of(table, event);
	if (!counts_are_ours(event, site)) {
		write_event(event, site);
		return;
	}
	count = atomic_fetch_add(&site->count, 1) + 1;
	if (!is_power_of_ten(count))
		return;
	if (atomic_load(&site->written))
		write_count(site);
	else
		write_event(event, site);
}

/* A child of vfork runs on its parent's memory: the counts there are not its. */
void journal_end(void)
{
	struct table *table = table_now();
	uint64_t mask;

	if (!table || atomic_load(&process) != sys_getpid())
		return;
	for (unsigned i = 0; i < SITES && atomic_load(&met_any); i++)
		if (atomic_load(&table->sites[i].written) &&
		    atomic_load(&table->sites[i].count) != atomic_load(&table->sites[i].written))
			write_count(&table->sites[i]);
	if (atomic_load(&lost) == 0)
		return;
	lock_take(&mask);
	if (put_start())
		put_lost();
	lock_release(&mask);
}

void journal_in_child(void)
{
	struct table *table = table_now();

	for (unsigned i = 0; table && i < SITES && atomic_load(&met_any); i++) {
		if (atomic_load_explicit(&table->sites[i].key, memory_order_relaxed) == 0)
			continue;
		atomic_store(&table->sites[i].count, 0);
		atomic_store(&table->sites[i].written, 0);
	}
	atomic_store(&lost, 0);
	atomic_store(&process, sys_getpid());
}

/* -------------------------------------------------------------- beginning */

static void read_program_name(void)
{
	SYS_CALL(SYS_prctl, PR_GET_NAME, program, 0, 0, 0, 0);
}

static struct text complaint_in(char *line, size_t size)
{
	struct text text = text_in(line, size);

	text_add(&text, "jitmend: ");
	text_add_quoted(&text, program, sizeof program);
	text_add(&text, "[");
	text_add_number(&text, (uint64_t)sys_getpid());
	text_add(&text, "]: ");
	return text;
}

static void say_unopened(long error)
{
	char line[1024];
	struct text text = complaint_in(line, sizeof line);

	text_add(&text, "cannot open the log ");
	text_add_quoted(&text, settings->log, sizeof line / 2);
	text_add(&text, ": errno ");
	text_add_number(&text, (uint64_t)-error);
	text_add(&text, "; nothing will be written down");
	output_complain(line, text_end_line(&text));
}

void journal_begin(const struct settings *from, const char *path)
{
	long result;

	settings = from;
	program_path = path;
	atomic_store(&process, sys_getpid());
	read_program_name();
	if (from->log && string_equal(from->log, OUTPUT_TO_NOBODY))
		return;
	/* Where nothing is known that could refuse there is seldom something to say. Else
	 * the room is made now: later it might be where the program has just given memory
	 * back, to map it again. */
	if (!from->log && !engine_expects_refusals()) {
		output_begin(NULL);
		provenance_want();
		atomic_store(&wanted, true);
		return;
	}
	result = make_room() ? output_begin(from->log) : -ENOMEM;
	if (from->log && sys_failed(result))
		say_unopened(result);
}

/* A log of its own says from the start that the library is there; on standard
 * error that waits for something to be said. */
void journal_begin_backtraces(void)
{
	uint64_t mask;

	if (!table_now() || !settings->log)
		return;
	if (output_kind() != OUTPUT_SYSLOG) {
		stacks_limit(settings->frames);
		if (settings->frames > 1)
			backtrace_begin();
		provenance_watch_mappings();
	}
	lock_take(&mask);
	if (!put_start())
		atomic_fetch_add(&lost, 1);
	lock_release(&mask);
}

void journal_bad_setting(const struct settings_error *error)
{
	char line[512];
	struct text text;

	read_program_name();
	text = complaint_in(line, sizeof line);
	text_add(&text, error->variable);
	if (error->word) {
		text_add(&text, ": '");
		text_add_quoted(&text, error->word, error->length);
		text_add(&text, "'");
	}
	text_add(&text, " ");
	text_add(&text, error->reason);
	text_add(&text, "; jitmend is off here");
	output_complain(line, text_end_line(&text));
}
