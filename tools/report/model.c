/* model.c: what the lines of all journals come to, taken together.
 *
 * A call site is a place in a file (told apart by its build id, so that runs and
 * machines add up), the call and the danger. A way is how a site was come by:
 * the stack, the memory's origin, the answer and what was done. Counts of a
 * journal are by process and number of a site; a counter leads from these to the
 * way. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "report.h"

/* What the number of a site stands for, in a process. */
struct counter {
	uint32_t process;
	unsigned number;
	uint32_t site, way; /* NONE: its request line is missing, or past a limit */
	uint64_t count;
};

static bool same_frame(const struct frame *a, const struct frame *b)
{
	return a->module == b->module && a->offset == b->offset;
}

static bool same_stack(const struct stack *a, const struct stack *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (!same_frame(&a->frames[i], &b->frames[i]))
			return false;
	return true;
}

static uint64_t hash_stack(uint64_t hash, const struct stack *stack)
{
	for (unsigned i = 0; i < stack->count; i++) {
		hash = hash_number(hash, stack->frames[i].module);
		hash = hash_number(hash, stack->frames[i].offset);
	}
	return hash_number(hash, stack->count);
}

/* ----------------------------------------------------------------- modules */

/* One file may have different names, on different machines. */
static bool same_module(const void *array, uint32_t index, const void *key)
{
	const struct module *a = (const struct module *)array + index, *b = key;

	return strcmp(a->build_id, b->build_id) == 0 &&
	       (*a->build_id || strcmp(a->path, b->path) == 0);
}

uint32_t model_module(struct model *model, const char *path, const char *build_id)
{
	struct module key = { .path = (char *)path, .build_id = (char *)build_id };
	uint64_t hash = hash_string(1, *build_id ? build_id : path);
	uint32_t index = table_find(&model->module_table, hash, same_module, model->modules, &key);

	if (index != NONE || model->module_count == MOST_MODULES)
		return index;
	model->modules = grown(model->modules, model->module_count, &model->module_room,
			       sizeof *model->modules);
	index = model->module_count++;
	model->modules[index] = (struct module){ .path = duplicate(path),
						 .build_id = duplicate(build_id) };
	table_add(&model->module_table, hash, index);
	return index;
}

/* --------------------------------------------------------------- processes */

static bool same_process(const void *array, uint32_t index, const void *key)
{
	const struct process *process = (const struct process *)array + index;
	const struct head_line *head = key;

	return process->journal == head->journal && process->pid == head->pid;
}

/* The same pid in whichever journal. */
static bool same_pid(const void *array, uint32_t index, const void *key)
{
	const struct process *process = (const struct process *)array + index;
	const struct head_line *head = key;

	return process->pid == head->pid;
}

static uint64_t hash_process(const struct head_line *head)
{
	return hash_number(hash_number(2, head->journal), (uint64_t)head->pid);
}

static void name_process(struct process *process, const struct head_line *head)
{
	free(process->comm);
	process->comm = duplicate(head->comm);
}

static uint32_t make_process(struct model *model, const struct head_line *head)
{
	uint32_t index = model->process_count;

	if (index == MOST_PROCESSES)
		return NONE;
	model->processes = grown(model->processes, index, &model->process_room,
				 sizeof *model->processes);
	model->processes[index] = (struct process){
		.journal = head->journal, .pid = head->pid, .comm = duplicate(head->comm),
		.program = duplicate(""), .kernel = duplicate(""), .machine = duplicate(""),
		.policy = duplicate(""), .first = head->time, .last = head->time,
	};
	model->process_count++;
	table_put(&model->process_table, hash_process(head), same_process, model->processes, head,
		  index);
	table_put(&model->last_table, hash_number(3, (uint64_t)head->pid), same_pid,
		  model->processes, head, index);
	return index;
}

static void seen_at(struct process *process, const struct head_line *head)
{
	if (head->time < process->first)
		process->first = head->time;
	if (head->time > process->last)
		process->last = head->time;
}

/* The process that a line is of, as its journal has it by now. */
static uint32_t process_of(struct model *model, const struct head_line *head)
{
	uint32_t index = table_find(&model->process_table, hash_process(head), same_process,
				    model->processes, head);

	if (index == NONE)
		index = make_process(model, head);
	if (index != NONE)
		seen_at(&model->processes[index], head);
	return index;
}

/* A process whose file was renamed goes on in another one, maybe read already. */
static uint32_t continued(struct model *model, const struct head_line *head,
			  const struct start_line *start)
{
	uint32_t index = table_find(&model->last_table, hash_number(3, (uint64_t)head->pid),
				    same_pid, model->processes, head);
	const struct process *process;

	if (index == NONE || !start->continues)
		return NONE;
	process = &model->processes[index];
	if (strcmp(process->program, start->program) != 0 ||
	    strcmp(process->kernel, start->kernel) != 0)
		return NONE;
	table_put(&model->process_table, hash_process(head), same_process, model->processes, head,
		  index);
	return index;
}

void model_start(struct model *model, const struct head_line *head, struct start_line *start)
{
	uint32_t index = continued(model, head, start);
	struct process *process;

	if (index == NONE)
		index = make_process(model, head);
	if (index == NONE) {
		free(start->policy);
		return;
	}
	process = &model->processes[index];
	seen_at(process, head);
	name_process(process, head);
	free(process->program);
	free(process->kernel);
	free(process->machine);
	free(process->policy);
	process->program = duplicate(start->program);
	process->kernel = duplicate(start->kernel);
	process->machine = duplicate(start->machine);
	process->policy = start->policy;
	process->audit = start->audit;
	process->mdwe = start->mdwe;
	process->started = true;
}

/* ------------------------------------------------------------------- sites */

static bool same_site(const void *array, uint32_t index, const void *key)
{
	const struct site *a = (const struct site *)array + index, *b = key;

	return a->call == b->call && a->danger == b->danger && same_frame(&a->frame, &b->frame);
}

static uint32_t site_of(struct model *model, const struct head_line *head,
			const struct request_line *line)
{
	struct site key = {
		.call = line->call, .danger = line->danger, .ways = NONE,
		.frame = line->stack.count ? line->stack.frames[0] : (struct frame){ NONE, 0 },
		.first = head->time, .last = head->time,
	};
	uint64_t hash = hash_number(4, (uint64_t)key.call << 8 | (uint64_t)key.danger);
	uint32_t index;

	hash = hash_number(hash_number(hash, key.frame.module), key.frame.offset);
	index = table_find(&model->site_table, hash, same_site, model->sites, &key);
	if (index != NONE || model->site_count == MOST_SITES)
		return index;
	index = model->site_count;
	model->sites = grown(model->sites, index, &model->site_room, sizeof *model->sites);
	model->sites[index] = key;
	model->site_count++;
	table_add(&model->site_table, hash, index);
	return index;
}

struct way_key {
	uint32_t site;
	const struct request_line *line;
};

static bool same_way(const void *array, uint32_t index, const void *key)
{
	const struct way *way = (const struct way *)array + index;
	const struct request_line *line = ((const struct way_key *)key)->line;

	return way->site == ((const struct way_key *)key)->site && way->answer == line->answer &&
	       way->refusal == line->refusal && way->done == line->done &&
	       way->origin == line->origin && strcmp(way->protection, line->protection) == 0 &&
	       same_stack(way->stack, &line->stack) &&
	       same_stack(way->origin_stack, &line->origin_stack);
}

static uint64_t hash_way(uint32_t site, const struct request_line *line)
{
	uint64_t hash = hash_number(5, site);

	hash = hash_number(hash, (uint64_t)line->answer << 16 | (uint64_t)line->refusal << 8 |
					 (uint64_t)line->done);
	hash = hash_string(hash, line->protection);
	hash = hash_string(hash, line->origin ? line->origin : "");
	return hash_stack(hash_stack(hash, &line->stack), &line->origin_stack);
}

/* A stack of its own size. */
static struct stack *kept_stack(const struct stack *stack)
{
	size_t size = offsetof(struct stack, frames) + stack->count * sizeof *stack->frames;
	struct stack *kept = malloc(size);

	if (!kept)
		fail("no memory");
	memcpy(kept, stack, size);
	return kept;
}

static uint32_t way_of(struct model *model, uint32_t site, uint32_t process,
		       const struct request_line *line)
{
	struct way_key key = { .site = site, .line = line };
	uint64_t hash = hash_way(site, line);
	uint32_t index = table_find(&model->way_table, hash, same_way, model->ways, &key);
	struct way *way;

	if (index != NONE || model->way_count == MOST_WAYS)
		return index;
	index = model->way_count;
	model->ways = grown(model->ways, index, &model->way_room, sizeof *model->ways);
	model->way_count++;
	way = &model->ways[index];
	*way = (struct way){
		.site = site, .process = process, .next = model->sites[site].ways,
		.answer = line->answer, .refusal = line->refusal, .done = line->done,
		.address = line->address, .length = line->length, .flags = line->flags,
		.stack = kept_stack(&line->stack), .origin = line->origin,
		.origin_length = line->origin_length,
		.origin_stack = kept_stack(&line->origin_stack),
	};
	memcpy(way->protection, line->protection, strlen(line->protection) + 1);
	model->sites[site].ways = index;
	table_add(&model->way_table, hash, index);
	return index;
}

/* ---------------------------------------------------------------- counting */

static bool same_share(const void *array, uint32_t index, const void *key)
{
	const struct share *a = (const struct share *)array + index, *b = key;

	return a->site == b->site && a->process == b->process;
}

static void add_share(struct model *model, uint32_t site, uint32_t process, uint64_t count)
{
	struct share key = { .site = site, .process = process };
	uint64_t hash = hash_number(hash_number(6, site), process);
	uint32_t index = table_find(&model->share_table, hash, same_share, model->shares, &key);

	if (index == NONE && model->share_count < MOST_SHARES) {
		index = model->share_count;
		model->shares = grown(model->shares, index, &model->share_room,
				      sizeof *model->shares);
		model->shares[index] = key;
		model->share_count++;
		model->sites[site].processes++;
		table_add(&model->share_table, hash, index);
	}
	if (index != NONE)
		model->shares[index].count += count;
}

static void add_count(struct model *model, const struct head_line *head,
		      const struct counter *counter, uint64_t count)
{
	struct site *site;

	if (counter->process != NONE)
		model->processes[counter->process].requests += count;
	if (counter->site == NONE) {
		model->crowded += count;
		return;
	}
	site = &model->sites[counter->site];
	site->count += count;
	if (head->time < site->first)
		site->first = head->time;
	if (head->time > site->last)
		site->last = head->time;
	if (counter->way != NONE) {
		struct way *way = &model->ways[counter->way];

		way->count += count;
		site->answers[way->answer] += count;
		site->dones[way->done] += count;
	}
	if (counter->process != NONE)
		add_share(model, counter->site, counter->process, count);
	spread_mark(model, &(struct mark){ .time = head->time, .process = counter->process,
					   .site = counter->site, .danger = site->danger,
					   .count = count });
}

static bool same_counter(const void *array, uint32_t index, const void *key)
{
	const struct counter *a = (const struct counter *)array + index, *b = key;

	return a->process == b->process && a->number == b->number;
}

static uint64_t hash_counter(const struct counter *key)
{
	return hash_number(hash_number(7, key->process), key->number);
}

static struct counter *counter_of(const struct model *model, const struct counter *key)
{
	uint32_t index = table_find(&model->counter_table, hash_counter(key), same_counter,
				    model->counters, key);

	return index == NONE ? NULL : &model->counters[index];
}

static void remember(struct model *model, const struct counter *counter)
{
	struct counter *known = counter_of(model, counter);

	if (known) {
		*known = *counter;
		return;
	}
	if (model->counter_count == MOST_COUNTERS)
		return;
	model->counters = grown(model->counters, model->counter_count, &model->counter_room,
				sizeof *model->counters);
	model->counters[model->counter_count] = *counter;
	table_add(&model->counter_table, hash_counter(counter), model->counter_count++);
}

void model_request(struct model *model, const struct head_line *head,
		   const struct request_line *line)
{
	struct counter counter = { .number = line->site, .way = NONE, .count = 1 };

	counter.process = process_of(model, head);
	counter.site = site_of(model, head, line);
	if (counter.site != NONE)
		counter.way = way_of(model, counter.site, counter.process, line);
	if (line->site < LAST_SITE && counter.process != NONE)
		remember(model, &counter);
	add_count(model, head, &counter, 1);
	if (counter.site != NONE)
		spread_range(model, &(struct range){
					    .start = line->piece_address,
					    .end = line->piece_address + line->piece_length,
					    .process = counter.process, .site = counter.site,
					    .danger = line->danger, .count = 1 });
}

/* A process may be counted whose beginning is in no journal, or lost. */
bool model_count(struct model *model, const struct head_line *head, unsigned site, uint64_t count)
{
	struct counter key = { .process = process_of(model, head), .number = site, .site = NONE,
			       .way = NONE };
	struct counter *counter;
	uint64_t more;

	if (key.process == NONE)
		return true;
	counter = counter_of(model, &key);
	if (!counter) {
		key.count = count;
		remember(model, &key);
		model->processes[key.process].unseen += count;
		return true;
	}
	if (count <= counter->count)
		return false;
	more = count - counter->count;
	counter->count = count;
	if (counter->site == NONE)
		model->processes[key.process].unseen += more;
	else
		add_count(model, head, counter, more);
	return true;
}

void model_lost(struct model *model, const struct head_line *head, uint64_t lines)
{
	uint32_t process = process_of(model, head);

	if (process != NONE)
		model->processes[process].lost += lines;
}

/* ----------------------------------------------------------------- the end */

uint64_t model_requests(const struct model *model)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < model->site_count; i++)
		sum += model->sites[i].count;
	return sum;
}

void model_span(const struct model *model, int64_t *first, int64_t *last)
{
	*first = 0;
	*last = 0;
	for (uint32_t i = 0; i < model->process_count; i++) {
		const struct process *process = &model->processes[i];

		if (i == 0 || process->first < *first)
			*first = process->first;
		if (i == 0 || process->last > *last)
			*last = process->last;
	}
}

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* By what is the same in every run: counts, words, names, places. */
static int by_count(const void *first, const void *second, void *context)
{
	const struct model *model = context;
	const struct site *a = &model->sites[*(const uint32_t *)first];
	const struct site *b = &model->sites[*(const uint32_t *)second];
	int order = compare(b->count, a->count);

	if (!order)
		order = compare(a->danger, b->danger);
	if (!order && a->frame.module != NONE && b->frame.module != NONE)
		order = strcmp(model->modules[a->frame.module].path,
			       model->modules[b->frame.module].path);
	if (!order)
		order = compare(a->frame.offset, b->frame.offset);
	return order ? order : compare(a->call, b->call);
}

static int ways_by_count(const void *first, const void *second, void *context)
{
	const struct model *model = context;
	uint32_t a = *(const uint32_t *)first, b = *(const uint32_t *)second;
	int order = compare(model->ways[b].count, model->ways[a].count);

	return order ? order : compare(a, b);
}

static void sort_ways(struct model *model, struct site *site, uint32_t *order)
{
	unsigned count = 0;

	for (uint32_t way = site->ways; way != NONE; way = model->ways[way].next)
		order[count++] = way;
	if (!count)
		return;
	qsort_r(order, count, sizeof *order, ways_by_count, model);
	site->ways = order[0];
	for (unsigned i = 0; i < count; i++)
		model->ways[order[i]].next = i + 1 < count ? order[i + 1] : NONE;
}

static uint32_t *numbers(uint32_t count)
{
	uint32_t *all = calloc(count ? count : 1, sizeof *all);

	if (!all)
		fail("no memory");
	for (uint32_t i = 0; i < count; i++)
		all[i] = i;
	return all;
}

/* What points at sites by their number follows them. */
static void renumber(struct model *model, const uint32_t *place)
{
	for (uint32_t i = 0; i < model->way_count; i++)
		model->ways[i].site = place[model->ways[i].site];
	for (uint32_t i = 0; i < model->share_count; i++)
		model->shares[i].site = place[model->shares[i].site];
	for (uint32_t i = 0; i < model->mark_count; i++)
		if (model->marks[i].site != NONE)
			model->marks[i].site = place[model->marks[i].site];
	for (uint32_t i = 0; i < model->range_count; i++)
		if (model->ranges[i].site != NONE)
			model->ranges[i].site = place[model->ranges[i].site];
}

void model_sort(struct model *model)
{
	uint32_t *order = numbers(model->site_count), *place = numbers(model->site_count);
	uint32_t *ways = numbers(model->way_count);
	struct site *sorted = calloc(model->site_count + 1, sizeof *sorted);

	if (!sorted)
		fail("no memory");
	qsort_r(order, model->site_count, sizeof *order, by_count, model);
	for (uint32_t i = 0; i < model->site_count; i++) {
		sorted[i] = model->sites[order[i]];
		place[order[i]] = i;
	}
	free(model->sites);
	model->sites = sorted;
	renumber(model, place);
	for (uint32_t i = 0; i < model->site_count; i++)
		sort_ways(model, &model->sites[i], ways);
	free(order);
	free(place);
	free(ways);
}
