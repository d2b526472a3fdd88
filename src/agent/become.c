/* become.c: looks at the file as the kernel would, and executes the agent with its
 * name. See become.h. */
#include "become.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/kcmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include "../descriptors.h"
#include "../journal.h"
#include "../lock.h"
#include "../memory.h"
#include "../signals.h"
#include "../sys.h"
#include "../text.h"
#include "agent.h"
#include "image.h"

#define LINE_BYTES 256     /* of a script's first line: BINPRM_BUF_SIZE */
#define MOST_SCRIPTS 4     /* that name one another, as the kernel allows */
#define MOST_ARGUMENTS (1L << 20)

static int agent = -1; /* a handle (descriptors.h) */
static char agent_path[PATH_MAX];

static int read_number(const char *digits)
{
	int number = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		number = number * 10 + (*digits - '0');
	return number;
}

/* Where there is no /proc, as in many a new root, there is the name that the kernel has put
 * down: of a descriptor, where it was executed by one, which is open still (execute()). */
static long open_agent(const char *executed)
{
	long fd = sys_open("/proc/self/exe", O_PATH | O_CLOEXEC, 0);
	const char *digits = string_after(executed, "/dev/fd/");

	if (fd != -ENOENT)
		return fd;
	return digits ? read_number(digits) : sys_open(executed, O_PATH | O_CLOEXEC, 0);
}

void become_begin(const char *executed)
{
	long length = sys_readlink("/proc/self/exe", agent_path, sizeof agent_path - 1);
	long fd = open_agent(executed);
	uint64_t mask;

	agent_path[sys_failed(length) ? 0 : length] = '\0';
	if (sys_failed(fd))
		return;
	lock_take(&mask);
	agent = descriptors_keep((int)fd);
	lock_release(&mask);
}

/* ---------------------------------------------------------- /proc/self/exe */

static char program[PATH_MAX];

/* False: it is too long for that. */
static bool name_descriptor(char *to, size_t size, int fd, const char *rest)
{
	struct text text = text_in(to, size - 1);

	text_add(&text, "/proc/self/fd/");
	text_add_number(&text, (uint64_t)fd);
	if (rest) {
		text_add(&text, "/");
		text_add(&text, rest);
	}
	to[text.length] = '\0';
	return !text.cut;
}

void become_note_program(int fd)
{
	char link[32];
	long length;

	name_descriptor(link, sizeof link, fd, NULL);
	length = sys_readlink(link, program, sizeof program - 1);
	program[sys_failed(length) ? 0 : length] = '\0';
}

const char *become_program(void)
{
	return program;
}

bool become_is_own_exe(const char *path)
{
	char own[64];
	struct text text = text_in(own, sizeof own - 1);

	text_add(&text, "/proc/");
	text_add_number(&text, (uint64_t)sys_getpid());
	text_add(&text, "/exe");
	own[text.length] = '\0';
	return string_equal(path, "/proc/self/exe") || string_equal(path, "/proc/thread-self/exe") ||
	       string_equal(path, own);
}

/* What is to be executed in the end, and which words come before the program's own
 * arguments but the first. Too large for a signal stack: see struct room. */
struct plan {
	char path[PATH_MAX];
	char name[PATH_MAX];
	char lines[MOST_SCRIPTS][LINE_BYTES + 1];
	char script[PATH_MAX];       /* that the last interpreter reads */
	const char *words[2 * MOST_SCRIPTS + 1];
	size_t word_count;
	bool foreign;                /* another machine's: the kernel's own affair */
	int duplicate;               /* of the descriptor that PATH goes by; -1: none */
};

/* ------------------------------------------------------------------ rooms */

/* Memory of a call under way. A child of vfork that has become another program has
 * left it in its parent: who it was is noted, and the next call gives it back. */
#define MOST_ROOMS 64

static struct room {
	_Atomic uintptr_t start; /* 0: free; 1: being written */
	size_t bytes;
	int pid;
} rooms[MOST_ROOMS];

static void note_room(uintptr_t start, size_t bytes)
{
	for (size_t i = 0; i < MOST_ROOMS; i++) {
		uintptr_t nobody = 0;

		if (!atomic_compare_exchange_strong(&rooms[i].start, &nobody, 1))
			continue;
		rooms[i].bytes = bytes;
		rooms[i].pid = sys_getpid();
		atomic_store(&rooms[i].start, start);
		return;
	}
}

/* False: it is not noted. */
static bool give_back_room(uintptr_t start)
{
	for (size_t i = 0; i < MOST_ROOMS; i++) {
		uintptr_t found = start;

		if (!atomic_compare_exchange_strong(&rooms[i].start, &found, 1))
			continue;
		sys_munmap(start, rooms[i].bytes);
		atomic_store(&rooms[i].start, 0);
		return true;
	}
	return false;
}

/* kcmp(2): 0 where both processes have the same memory. It needs the right to trace the
 * other, and a filter may refuse it: then who lives may be on it. */
static bool may_be_on_our_memory(int pid)
{
	long answer;

	if (pid == sys_getpid())
		return true;
	answer = SYS_CALL(SYS_kcmp, sys_getpid(), pid, KCMP_VM, 0, 0, 0);
	if (!sys_failed(answer))
		return answer == 0;
	return SYS_CALL(SYS_kill, pid, 0, 0, 0, 0, 0) != -ESRCH;
}

static void give_back_rooms(void)
{
	for (size_t i = 0; i < MOST_ROOMS; i++) {
		uintptr_t start = atomic_load(&rooms[i].start);

		if (start > 1 && !may_be_on_our_memory(rooms[i].pid))
			give_back_room(start);
	}
}

/* ------------------------------------------------------------------ names */

/* The program's string, which may end at the end of what can be read. */
static long copy_string(char *to, long from, size_t size)
{
	for (size_t done = 0; done < size;) {
		size_t piece = PAGE_BYTES - ((uintptr_t)from + done) % PAGE_BYTES;
		long got;

		if (piece > size - done)
			piece = size - done;
		got = sys_copy_memory(sys_getpid(), to + done, (uintptr_t)from + done, piece);
		if (got <= 0)
			return -EFAULT;
		for (size_t i = done; i < done + (size_t)got; i++)
			if (to[i] == '\0')
				return 0;
		done += (size_t)got;
	}
	return -ENAMETOOLONG;
}

/* The name under which the agent, which has this process's descriptors and folder,
 * finds the file. */
static long find_name(struct plan *plan, int folder, long path, int flags)
{
	long result = copy_string(plan->name, path, sizeof plan->name);
	bool nameless = plan->name[0] == '\0';

	if (result)
		return result;
	if (nameless && !(flags & AT_EMPTY_PATH))
		return -ENOENT;
	if (program[0] && become_is_own_exe(plan->name)) {
		memcpy(plan->path, program, sizeof plan->path);
		return 0;
	}
	if (!nameless && (plan->name[0] == '/' || folder == AT_FDCWD)) {
		memcpy(plan->path, plan->name, sizeof plan->path);
		return 0;
	}
	/* The program's own may be closed by the exec. */
	result = sys_fcntl(folder, F_DUPFD, 0);
	if (sys_failed(result))
		return result;
	plan->duplicate = (int)result;
	return name_descriptor(plan->path, sizeof plan->path, plan->duplicate,
			       nameless ? NULL : plan->name) ? 0 : -ENAMETOOLONG;
}

/* ------------------------------------------------------------------ files */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The interpreter of a `#!' line, cut out of it in place, and its argument or NULL.
 * NULL: the kernel would not take it. */
static char *read_script_line(char *line, char **argument)
{
	char *interpreter = line + 2, *end = line;

	while (*end && *end != '\n')
		end++;
	if (end == line + LINE_BYTES)
		end--; /* cut off; the kernel wants the interpreter whole, which we find or not */
	*end = '\0';
	while (end > interpreter && is_blank(end[-1]))
		*--end = '\0';
	while (is_blank(*interpreter))
		interpreter++;
	*argument = interpreter;
	while (**argument && !is_blank(**argument))
		++*argument;
	while (is_blank(**argument))
		*(*argument)++ = '\0';
	if (**argument == '\0')
		*argument = NULL;
	return *interpreter ? interpreter : NULL;
}

/* To open what is no file may wait, or do something. */
static long may_be_executed(const char *path)
{
	struct stat64 status;
	long result = SYS_CALL(SYS_faccessat, AT_FDCWD, path, 1 /* X_OK */, 0, 0, 0);

	if (!result)
		result = sys_stat(path, &status);
	if (!result && !S_ISREG(status.st_mode))
		result = -EACCES;
	return result;
}

static long open_to_execute(const char *path)
{
	struct statfs mount;
	long fd, result = may_be_executed(path);

	if (sys_failed(result))
		return result;
	fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (sys_failed(fd))
		return fd;
	result = SYS_CALL(SYS_fstatfs, fd, &mount, 0, 0, 0, 0);
	if (!result && mount.f_flags & ST_NOEXEC)
		result = -EACCES;
	if (!result)
		return fd;
	sys_close((int)fd);
	return result;
}

/* One step from a script to its interpreter. */
static long follow_script(struct plan *plan, unsigned depth)
{
	char *argument, *interpreter;

	if (depth == MOST_SCRIPTS)
		return -ELOOP;
	interpreter = read_script_line(plan->lines[depth], &argument);
	if (!interpreter)
		return -ENOEXEC;
	for (size_t i = plan->word_count; i-- > 0;)
		plan->words[i + (argument ? 2 : 1)] = plan->words[i];
	plan->word_count += argument ? 2 : 1;
	plan->words[0] = interpreter;
	if (argument)
		plan->words[1] = argument;
	if (depth == 0)
		memcpy(plan->script, plan->path, sizeof plan->path);
	if (string_length(interpreter) >= sizeof plan->path)
		return -ENAMETOOLONG;
	memcpy(plan->path, interpreter, string_length(interpreter) + 1);
	return 0;
}

static bool is_elf_of_another_machine(const char *line)
{
	return memcmp(line, "\177ELF", 4) == 0 && (line[4] != 2 || line[5] != 1);
}

static long look(struct plan *plan)
{
	for (unsigned depth = 0;; depth++) {
		char *line = plan->lines[depth < MOST_SCRIPTS ? depth : 0];
		long fd = open_to_execute(plan->path), length, result;

		if (sys_failed(fd))
			return fd;
		length = sys_pread((int)fd, line, LINE_BYTES, 0);
		line[sys_failed(length) ? 0 : length] = '\0';
		if (length > 2 && line[0] == '#' && line[1] == '!') {
			sys_close((int)fd);
			result = follow_script(plan, depth);
			if (result)
				return result;
			continue;
		}
		plan->foreign = length > 5 && is_elf_of_another_machine(line);
		result = plan->foreign ? 0 : image_look((int)fd);
		sys_close((int)fd);
		return result;
	}
}

/* -------------------------------------------------------------- arguments */

static long count_arguments(long arguments)
{
	long count = 0, word;

	for (; arguments && count < MOST_ARGUMENTS; count++) {
		if (sys_copy_memory(sys_getpid(), &word, (uintptr_t)arguments + (size_t)count * sizeof word,
				    sizeof word) != sizeof word)
			return -EFAULT;
		if (!word)
			return count;
	}
	return count ? -E2BIG : 0;
}

/* The agent's words, an interpreter's, and then the program's own: COUNT of them. */
static long collect(const char **to, const struct plan *plan, long arguments, long count)
{
	long n = 0, own = plan->word_count ? 1 : 0;

	*to++ = "jitmend-agent";
	*to++ = plan->duplicate < 0 ? "again" : "again-fd";
	*to++ = plan->path;
	*to++ = plan->script[0] ? plan->script : plan->path;
	for (size_t i = 0; i < plan->word_count; i++)
		*to++ = plan->words[i];
	if (own)
		*to++ = plan->script;
	n = count > own ? (count - own) * (long)sizeof *to : 0;
	if (n && sys_copy_memory(sys_getpid(), to, (uintptr_t)arguments + (size_t)own * sizeof *to,
				 (size_t)n) != n)
		return -EFAULT;
	to += n / (long)sizeof *to;
	if (!own && count == 0)
		*to++ = ""; /* as the kernel has it since 5.18: no program without a name */
	*to = NULL;
	return 0;
}

/* ------------------------------------------------------------------- exec */

static bool has_proc(void)
{
	char link[8];

	return !sys_failed(sys_readlink("/proc/self/exe", link, sizeof link));
}

static long execute_agent(const char **arguments, long environment)
{
	uint64_t mask;
	long result, handed = -1;
	int fd;

	lock_take(&mask);
	fd = descriptors_number(agent);
	lock_release(&mask);
	if (!has_proc())
		handed = sys_fcntl(fd, F_DUPFD, SYS_HIGH_DESCRIPTOR);
	result = SYS_CALL(SYS_execveat, sys_failed(handed) ? fd : handed, "", arguments, environment,
			  AT_EMPTY_PATH, 0);
	if (result == -EBADF)
		result = SYS_CALL(SYS_execve, agent_path, arguments, environment, 0, 0, 0);
	if (!sys_failed(handed))
		sys_close((int)handed);
	return result;
}

static long execute(const struct plan *plan, const char **arguments, long environment)
{
	struct signals_handed handed;
	long result;

	journal_end();
	signals_hand_on(&handed);
	result = plan->foreign ? SYS_CALL(SYS_execve, plan->path, arguments + AGENT_WORDS, environment,
					  0, 0, 0) :
				 execute_agent(arguments, environment);
	signals_take_back(&handed);
	return result;
}

static long go(struct plan *plan, const char **list, long count, const struct exec *exec)
{
	long result = find_name(plan, exec->folder, exec->path, exec->flags);

	if (!result)
		result = look(plan);
	if (!result)
		result = collect(list, plan, exec->arguments, count);
	if (!result)
		result = execute(plan, list, exec->environment);
	if (plan->duplicate >= 0)
		sys_close(plan->duplicate);
	return result;
}

long become(const struct exec *exec)
{
	long count = count_arguments(exec->arguments), result;
	size_t bytes, words = AGENT_WORDS + 2 * MOST_SCRIPTS + 4;
	struct plan *plan;
	long room;

	if (count < 0)
		return count;
	give_back_rooms();
	bytes = page_up(sizeof *plan + (words + (size_t)count) * sizeof(char *));
	room = sys_mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sys_failed(room))
		return room;
	note_room((uintptr_t)room, bytes);
	plan = (struct plan *)room;
	plan->duplicate = -1;
	result = go(plan, (const char **)(plan + 1), count, exec);
	if (!give_back_room((uintptr_t)room))
		sys_munmap((uintptr_t)room, bytes);
	return result;
}
