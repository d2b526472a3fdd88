/* symbols.c: functions, files and lines for places in files, by elfutils.
 *
 * A journal names a file and its build id. The file on disk may be another by
 * now; its names would be wrong, so it is held against the build id, and where
 * it is not the same, one that is is looked for: among the debug files of this
 * machine and, where DEBUGINFOD_URLS is set, by debuginfod, both as libdw does.
 * Without a build id the path is believed.
 *
 * A module is open only while its places are looked up. An offset is where a call
 * returns to, so that the byte before it is what is looked up. */
#include <config.h>

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

#define MOST_SPOTS 16u

static char *debug_dir;

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
	.debuginfo_path = &debug_dir,
};

/* ------------------------------------------------------------- the symbols */

struct symbol_key {
	struct frame frame;
	uint32_t process;
};

static bool same_symbol(const void *array, uint32_t index, const void *key)
{
	const struct symbol *symbol = (const struct symbol *)array + index;
	const struct symbol_key *wanted = key;

	return symbol->frame.module == wanted->frame.module &&
	       symbol->frame.offset == wanted->frame.offset && symbol->process == wanted->process;
}

static uint64_t hash_symbol(const struct symbol_key *key)
{
	return hash_number(hash_number(hash_number(10, key->frame.module), key->frame.offset),
			   key->process);
}

/* SPOTS, and what they hold, are given away. */
void symbols_add(struct model *model, struct frame frame, uint32_t process, struct spot *spots,
		 unsigned count)
{
	struct symbol_key key = { .frame = frame, .process = process };

	model->symbols = grown(model->symbols, model->symbol_count, &model->symbol_room,
			       sizeof *model->symbols);
	model->symbols[model->symbol_count] = (struct symbol){ frame, process, spots, count };
	table_add(&model->symbol_table, hash_symbol(&key), model->symbol_count++);
}

/* Of generated code a process has its own. NULL: nothing is known of it. */
const struct symbol *symbols_of(const struct model *model, struct frame frame, uint32_t process)
{
	struct symbol_key key = { .frame = frame,
				  .process = frame.module == NONE ? process : NONE };
	uint32_t index = table_find(&model->symbol_table, hash_symbol(&key), same_symbol,
				    model->symbols, &key);

	return index == NONE ? NULL : &model->symbols[index];
}

/* --------------------------------------------------------------- one place */

/* A name that the compiler made of one in C++ or the like says little. */
static char *name_of_die(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *name = NULL;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute))
		name = dwarf_formstring(&attribute);
	if (!name)
		name = dwarf_diename(die);
	return name ? demangled(name) : NULL;
}

/* Without . and .. on the way: compilers keep what they were called with. */
static char *tidied(char *path)
{
	char *to = path;

	for (char *from = path; *from;) {
		size_t length = strcspn(from, "/");
		bool slash = from[length] == '/';

		if (length == 2 && strncmp(from, "..", 2) == 0 && to > path + 1 &&
		    strncmp(to - 3, "../", 3) != 0) {
			for (to--; to > path && to[-1] != '/'; to--)
				;
		} else if (length != 1 || *from != '.') {
			memmove(to, from, length + slash);
			to += length + slash;
		}
		from += length + slash;
	}
	*to = '\0';
	return path;
}

/* A source file's name; FOLDER, where it was compiled, may be NULL. */
static char *source_path(const char *folder, const char *name)
{
	char *whole;

	if (*name == '/' || !folder)
		return tidied(duplicate(name));
	if (asprintf(&whole, "%s/%s", folder, name) < 0)
		fail("no memory");
	return tidied(whole);
}

/* Where the function is that this one was inlined into. */
static void caller_of(Dwarf_Die *die, Dwarf_Die *unit, struct spot *spot)
{
	Dwarf_Attribute attribute;
	Dwarf_Word file = 0, line = 0;
	Dwarf_Files *files;
	size_t count;
	const char *name = NULL, *folder = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));

	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attribute), &file) == 0 &&
	    dwarf_getsrcfiles(unit, &files, &count) == 0 && file < count)
		name = dwarf_filesrc(files, file, NULL, NULL);
	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attribute), &line) != 0)
		line = 0;
	spot->file = name ? source_path(folder, name) : NULL;
	spot->line = (int)line;
}

/* The functions that were inlined at an address, innermost first; at the end, of
 * the one that they were inlined into, only file and line. */
static unsigned add_inlined(Dwarf_Die *unit, Dwarf_Die *innermost, struct spot *spots)
{
	Dwarf_Die *parents = NULL;
	unsigned count = 0;
	int depth = dwarf_getscopes_die(innermost, &parents);

	for (int i = 0; i < depth && count + 1 < MOST_SPOTS; i++) {
		int tag = dwarf_tag(&parents[i]);

		if (tag == DW_TAG_subprogram)
			break;
		if (tag != DW_TAG_inlined_subroutine)
			continue;
		spots[count].function = name_of_die(&parents[i]);
		caller_of(&parents[i], unit, &spots[++count]);
	}
	free(parents);
	return count;
}

static char *line_of(Dwarf_Die *unit, Dwarf_Addr address, int *number)
{
	Dwarf_Attribute attribute;
	Dwarf_Line *line = dwarf_getsrc_die(unit, address);
	const char *name = line ? dwarf_linesrc(line, NULL, NULL) : NULL;

	if (!name || dwarf_lineno(line, number) != 0)
		return NULL;
	return source_path(dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute)), name);
}

/* libdw finds a unit by .debug_aranges, which clang does not write, and, up to its
 * version of Debian 12 at least, no other way. */
static Dwarf_Die *unit_of(Dwfl_Module *module, Dwarf_Addr address, Dwarf_Addr *bias)
{
	Dwarf_Die *unit = dwfl_module_addrdie(module, address, bias);

	if (unit)
		return unit;
	while ((unit = dwfl_module_nextcu(module, unit, bias)))
		if (dwarf_haspc(unit, address - *bias) > 0)
			return unit;
	return NULL;
}

/* The nearest symbol is not always one that the address lies in. */
static char *function_at(Dwfl_Module *module, Dwarf_Addr address)
{
	GElf_Off offset;
	GElf_Sym symbol;
	const char *name = dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL);
	char *whole, *plain;

	if (!name || (symbol.st_size && offset >= symbol.st_size))
		return NULL;
	whole = duplicate(name);
	whole[strcspn(whole, "@")] = '\0'; /* the symbol's version */
	plain = demangled(whole);
	free(whole);
	return plain;
}

/* Files and lines; returns which spot is the function's own. What no unit holds
 * (startup code) has none, though there are lines before it. */
static unsigned add_lines(Dwfl_Module *module, Dwarf_Addr address, struct spot *spots)
{
	Dwarf_Addr bias;
	Dwarf_Die *unit = unit_of(module, address, &bias), *scopes = NULL;
	unsigned last = 0;

	if (unit && dwarf_getscopes(unit, address - bias, &scopes) > 0) {
		spots[0].file = line_of(unit, address - bias, &spots[0].line);
		last = add_inlined(unit, &scopes[0], spots);
	}
	free(scopes);
	return last;
}

static void look_up(struct model *model, Dwfl_Module *module, GElf_Addr bias, struct frame frame)
{
	struct spot spots[MOST_SPOTS + 1] = { 0 }, *kept;
	Dwarf_Addr address = frame.offset + bias - (frame.offset ? 1 : 0);
	unsigned last = add_lines(module, address, spots);

	spots[last].function = function_at(module, address);
	if (spots[0].file)
		model->modules[frame.module].lines = true;
	if (!spots[last].function && !spots[0].file)
		return;
	kept = calloc(last + 1, sizeof *kept);
	if (!kept)
		fail("no memory");
	memcpy(kept, spots, (last + 1) * sizeof *kept);
	symbols_add(model, frame, NONE, kept, last + 1);
}

/* -------------------------------------------------------------- one module */

static Dwfl *new_session(void)
{
	Dwfl *session = dwfl_begin(&callbacks);

	if (!session)
		fail("libdw: %s", dwfl_errmsg(-1));
	return session;
}

static void build_id_of(Dwfl_Module *module, char *text, size_t size)
{
	const unsigned char *bits;
	GElf_Addr address;
	int length = dwfl_module_build_id(module, &bits, &address);

	*text = '\0';
	for (int i = 0; i < length && size >= 3; i++, text += 2, size -= 2)
		snprintf(text, 3, "%02x", bits[i]);
}

/* A journal names what it likes: neither a pipe nor a device is waited for. */
static int open_regular(const char *path)
{
	int fd = *path == '/' ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
	struct stat status;

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

/* NULL, and in *WHY the reason, where it is none that can be read. */
static Dwfl_Module *report_file(Dwfl *session, const char *path, const char **why)
{
	int fd = open_regular(path);
	Dwfl_Module *module;

	if (fd < 0) {
		*why = strerror(errno);
		return NULL;
	}
	dwfl_report_begin(session);
	module = dwfl_report_offline(session, path, path, fd);
	if (!module) {
		*why = dwfl_errmsg(-1);
		close(fd);
	}
	dwfl_report_end(session, NULL, NULL);
	return module;
}

static size_t bytes_of(const char *build_id, unsigned char *bytes)
{
	size_t count = strlen(build_id) / 2;
	unsigned byte;

	for (size_t i = 0; i < count; i++) {
		if (sscanf(build_id + 2 * i, "%2x", &byte) != 1)
			return 0;
		bytes[i] = (unsigned char)byte;
	}
	return count;
}

/* The file with that build id, where libdw finds one: on this machine, or by
 * debuginfod, which gives it no name. */
static Dwfl_Module *report_build_id(Dwfl *session, const struct module *wanted,
				    const char **name)
{
	unsigned char bytes[32];
	size_t count = bytes_of(wanted->build_id, bytes);
	Dwfl_Module *module;
	GElf_Addr bias;

	dwfl_report_begin(session);
	module = dwfl_report_module(session, wanted->path, 1ULL << 32, 1ULL << 40);
	if (module && dwfl_module_report_build_id(module, bytes, count, 0) != 0)
		module = NULL;
	dwfl_report_end(session, NULL, NULL);
	if (!module || !dwfl_module_getelf(module, &bias))
		return NULL;
	dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, name, NULL);
	if (!*name)
		*name = "debuginfod";
	return module;
}

/* A debug file has all that is looked up here, without the program itself. */
static char *debug_file_of(const struct module *wanted)
{
	const char *folders = debug_dir ? debug_dir : "/usr/lib/debug";
	char *path;

	for (const char *from = folders; *from;) {
		size_t length = strcspn(from, ":");

		if (asprintf(&path, "%.*s/.build-id/%.2s/%s.debug", (int)length, from,
			     wanted->build_id, wanted->build_id + 2) < 0)
			fail("no memory");
		if (length && *from == '/' && access(path, R_OK) == 0)
			return path;
		free(path);
		from += length + (from[length] == ':');
	}
	return NULL;
}

static void note(struct module *module, enum module_state state, const char *words,
		 const char *detail)
{
	module->state = state;
	free(module->note);
	module->note = NULL;
	if (words && asprintf(&module->note, "%s%s", words, detail ? detail : "") < 0)
		fail("no memory");
}

/* What is on disk at the module's path; NULL where that is another file, or none. */
static Dwfl_Module *open_by_path(Dwfl *session, struct module *module)
{
	const char *why = "";
	char build_id[80];
	Dwfl_Module *opened;

	if (*module->path != '/') {
		note(module, MODULE_NO_FILE, NULL, NULL);
		return NULL;
	}
	opened = report_file(session, module->path, &why);
	if (!opened) {
		bool gone = access(module->path, F_OK) != 0 && errno == ENOENT;

		note(module, gone ? MODULE_GONE : MODULE_UNREADABLE,
		     gone ? "the file is gone" : "the file cannot be read: ", gone ? NULL : why);
		return NULL;
	}
	build_id_of(opened, build_id, sizeof build_id);
	if (!*module->build_id) {
		note(module, MODULE_BY_PATH,
		     *build_id ? "the file has a build id now, and had none" :
				 "the file has no build id: it may have changed since",
		     NULL);
		return opened;
	}
	if (strcmp(build_id, module->build_id) == 0) {
		note(module, MODULE_SAME, NULL, NULL);
		return opened;
	}
	note(module, MODULE_DIFFERS, "the file has changed since: its build id is now ",
	     *build_id ? build_id : "none");
	return NULL;
}

static Dwfl_Module *open_elsewhere(Dwfl *session, struct module *module)
{
	const char *why = "", *name = NULL;
	Dwfl_Module *opened;
	char *path;

	if (!*module->build_id)
		return NULL;
	opened = report_build_id(session, module, &name);
	path = opened ? NULL : debug_file_of(module);
	if (path) {
		opened = report_file(session, path, &why);
		name = path;
	}
	if (opened)
		note(module, MODULE_ELSEWHERE, "by its build id, from ", name);
	free(path);
	return opened;
}

static void look_up_module(struct model *model, uint32_t index, const struct frame *frames,
			   size_t count)
{
	Dwfl *session = new_session();
	struct module *module = &model->modules[index];
	Dwfl_Module *opened = open_by_path(session, module);
	GElf_Addr bias;

	if (!opened && module->state != MODULE_NO_FILE) {
		dwfl_end(session);
		session = new_session();
		opened = open_elsewhere(session, module);
	}
	if (opened && dwfl_module_getelf(opened, &bias))
		for (size_t i = 0; i < count; i++)
			look_up(model, opened, bias, frames[i]);
	dwfl_end(session);
}

/* ---------------------------------------------------------------- all of it */

static int by_place(const void *first, const void *second)
{
	const struct frame *a = first, *b = second;

	if (a->module != b->module)
		return a->module < b->module ? -1 : 1;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static size_t add_frames(struct frame *all, size_t count, const struct stack *stack)
{
	for (unsigned i = 0; i < stack->count; i++)
		if (stack->frames[i].module != NONE)
			all[count++] = stack->frames[i];
	return count;
}

/* Each place once, in the order of modules. */
static struct frame *places(const struct model *model, size_t *count)
{
	size_t most = 1, kept = 0;
	struct frame *all;

	for (uint32_t i = 0; i < model->way_count; i++)
		most += model->ways[i].stack->count + model->ways[i].origin_stack->count;
	all = calloc(most, sizeof *all);
	if (!all)
		fail("no memory");
	*count = 0;
	for (uint32_t i = 0; i < model->way_count; i++) {
		*count = add_frames(all, *count, model->ways[i].stack);
		*count = add_frames(all, *count, model->ways[i].origin_stack);
	}
	qsort(all, *count, sizeof *all, by_place);
	for (size_t i = 0; i < *count; i++)
		if (i == 0 || by_place(&all[i], &all[i - 1]) != 0)
			all[kept++] = all[i];
	*count = kept;
	return all;
}

void symbols_find(struct model *model, const struct options *options)
{
	size_t count, from, to;
	struct frame *all = places(model, &count);

	debug_dir = (char *)options->debug_dir;
	for (from = 0; from < count; from = to) {
		uint32_t module = all[from].module;

		for (to = from; to < count && all[to].module == module;)
			to++;
		progress("looking up %.40s, %d %%", model->modules[module].path,
			 (int)(100 * from / count));
		look_up_module(model, module, all + from, to - from);
	}
	free(all);
}
