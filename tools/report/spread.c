/* spread.c: when requests were made, and for which memory, for pictures.
 *
 * Each is kept as it was while there are few. When there are many, moments (or
 * addresses) are taken in pairs: twice as wide, and what now is the same becomes
 * one. Where that would leave too little to see, sites are no longer told apart
 * there, then processes; dangers always are. So the memory has a bound. */
#include <config.h>

#include <stdlib.h>

#include "report.h"

#define MOST 30000u
#define MOMENTS 1024            /* a picture has no more columns */
#define FEW_MOMENTS 96          /* rather than not to tell processes apart */
#define WIDEST_FIRST (1u << 20) /* bytes, until sites are given up */
#define WIDEST (1ULL << 52)

enum level { ALL, NO_SITES, NO_PROCESSES };

/* ------------------------------------------------------------------- times */

static bool same_mark(const void *array, uint32_t index, const void *key)
{
	const struct mark *a = (const struct mark *)array + index, *b = key;

	return a->time == b->time && a->process == b->process && a->site == b->site &&
	       a->danger == b->danger;
}

static void put_mark(struct model *model, struct mark mark)
{
	uint64_t hash;
	uint32_t index;

	mark.time &= ~(model->mark_width - 1);
	if (model->mark_level >= NO_SITES)
		mark.site = NONE;
	if (model->mark_level >= NO_PROCESSES)
		mark.process = NONE;
	hash = hash_number(hash_number(8, (uint64_t)mark.time),
			   (uint64_t)mark.process << 32 | mark.site);
	hash = hash_number(hash, mark.danger);
	index = table_find(&model->mark_table, hash, same_mark, model->marks, &mark);
	if (index != NONE) {
		model->marks[index].count += mark.count;
		return;
	}
	model->marks = grown(model->marks, model->mark_count, &model->mark_room,
			     sizeof *model->marks);
	model->marks[model->mark_count] = mark;
	table_add(&model->mark_table, hash, model->mark_count++);
}

static void coarser_marks(struct model *model)
{
	uint32_t count = model->mark_count;
	int moments = model->mark_level == ALL ? MOMENTS : FEW_MOMENTS;

	if (model->mark_width <= (model->mark_last - model->mark_first) / moments ||
	    model->mark_level == NO_PROCESSES)
		model->mark_width *= 2;
	else
		model->mark_level++;
	model->mark_count = 0;
	table_clear(&model->mark_table);
	for (uint32_t i = 0; i < count; i++)
		put_mark(model, model->marks[i]);
}

void spread_mark(struct model *model, const struct mark *mark)
{
	if (!model->mark_width) {
		model->mark_width = 1;
		model->mark_first = model->mark_last = mark->time;
	}
	if (mark->time < model->mark_first)
		model->mark_first = mark->time;
	if (mark->time > model->mark_last)
		model->mark_last = mark->time;
	put_mark(model, *mark);
	while (model->mark_count > MOST && (uint64_t)model->mark_width < WIDEST)
		coarser_marks(model);
}

/* --------------------------------------------------------------- addresses */

static bool same_range(const void *array, uint32_t index, const void *key)
{
	const struct range *a = (const struct range *)array + index, *b = key;

	return a->start == b->start && a->end == b->end && a->process == b->process &&
	       a->site == b->site && a->danger == b->danger;
}

static void put_range(struct model *model, struct range range)
{
	uint64_t mask = model->range_width - 1, hash;
	uint32_t index;

	range.start &= ~mask;
	if (range.end <= UINT64_MAX - mask)
		range.end = (range.end + mask) & ~mask;
	if (model->range_level >= NO_SITES)
		range.site = NONE;
	if (model->range_level >= NO_PROCESSES)
		range.process = NONE;
	hash = hash_number(hash_number(9, range.start), range.end);
	hash = hash_number(hash, (uint64_t)range.process << 32 | range.site);
	hash = hash_number(hash, range.danger);
	index = table_find(&model->range_table, hash, same_range, model->ranges, &range);
	if (index != NONE) {
		model->ranges[index].count += range.count;
		return;
	}
	model->ranges = grown(model->ranges, model->range_count, &model->range_room,
			      sizeof *model->ranges);
	model->ranges[model->range_count] = range;
	table_add(&model->range_table, hash, model->range_count++);
}

static void coarser_ranges(struct model *model)
{
	uint32_t count = model->range_count;

	if (model->range_width < WIDEST_FIRST || model->range_level == NO_PROCESSES)
		model->range_width *= 2;
	else
		model->range_level++;
	model->range_count = 0;
	table_clear(&model->range_table);
	for (uint32_t i = 0; i < count; i++)
		put_range(model, model->ranges[i]);
}

void spread_range(struct model *model, const struct range *range)
{
	if (!model->range_width)
		model->range_width = 4096;
	/* Memory that was refused has no address yet, and nothing ends before it begins. */
	if (range->start == 0 || range->end <= range->start)
		return;
	put_range(model, *range);
	while (model->range_count > MOST && model->range_width < WIDEST)
		coarser_ranges(model);
}
