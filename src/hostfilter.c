/* hostfilter.c: an interpreter of filters, and what it has been asked. See hostfilter.h. */
#include "hostfilter.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/falloc.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "memory.h"
#include "sys.h"
#include "vma.h"

#ifdef SYS_mmap2
#define MMAP SYS_mmap2
#else
#define MMAP SYS_mmap
#endif

#ifdef SYS_ftruncate64
#define FTRUNCATE SYS_ftruncate64
#else
#define FTRUNCATE SYS_ftruncate
#endif

/* i386's has one argument more, in the middle. */
#ifdef SYS__llseek
#define LSEEK SYS__llseek
#define SEEK_ARGUMENTS { SOME_DESCRIPTOR, 0, 0, SOME_PAGE, SEEK_CUR }
#else
#define LSEEK SYS_lseek
#define SEEK_ARGUMENTS { SOME_DESCRIPTOR, 0, SEEK_CUR }
#endif

#define SOME_PAGE PAGE_BYTES
#define SOME_DESCRIPTOR 900
#define CURRENT_FOLDER ((uint64_t)-100) /* AT_FDCWD */

static atomic_bool ends[HOSTFILTER_CALLS];

bool hostfilter_ends(enum hostfilter_call call)
{
	return atomic_load_explicit(&ends[call], memory_order_relaxed);
}

int hostfilter_noreplace(void)
{
	return hostfilter_ends(HOSTFILTER_NOREPLACE) ? 0 : MAP_FIXED_NOREPLACE;
}

/* ---------------------------------------------------------------- a filter */

struct machine {
	const struct seccomp_data *data;
	uint32_t a, x, memory[BPF_MEMWORDS];
};

static uint32_t load(const struct machine *machine, const struct sock_filter *instruction)
{
	uint32_t k = instruction->k, word = 0;

	switch (BPF_MODE(instruction->code)) {
	case BPF_ABS:
		if (k <= sizeof *machine->data - sizeof word)
			memcpy(&word, (const char *)machine->data + k, sizeof word);
		return word;
	case BPF_LEN:
		return sizeof *machine->data;
	case BPF_MEM:
		return k < BPF_MEMWORDS ? machine->memory[k] : 0;
	default: /* BPF_IMM */
		return k;
	}
}

static uint32_t reckon(unsigned code, uint32_t a, uint32_t b)
{
	switch (BPF_OP(code)) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV: /* by nothing: divides_by_nothing() */
		return b ? a / b : 0;
	case BPF_OR:
		return a | b;
	case BPF_AND:
		return a & b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & 31);
	case BPF_RSH:
		return a >> (b & 31);
	default: /* BPF_NEG */
		return -a;
	}
}

static bool holds(unsigned code, uint32_t a, uint32_t b)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	default: /* BPF_JSET */
		return a & b;
	}
}

static uint32_t jump(const struct machine *machine, const struct sock_filter *instruction)
{
	uint32_t other = BPF_SRC(instruction->code) == BPF_X ? machine->x : instruction->k;

	if (BPF_OP(instruction->code) == BPF_JA)
		return instruction->k;
	return holds(instruction->code, machine->a, other) ? instruction->jt : instruction->jf;
}

/* What is divided by nothing ends the filter with 0 (net/core/filter.c,
 * bpf_convert_filter). */
static bool divides_by_nothing(const struct machine *machine, const struct sock_filter *instruction)
{
	return BPF_CLASS(instruction->code) == BPF_ALU && BPF_OP(instruction->code) == BPF_DIV &&
	       !(BPF_SRC(instruction->code) == BPF_X ? machine->x : instruction->k);
}

/* All but jumps and returns. */
static void step(struct machine *machine, const struct sock_filter *instruction)
{
	uint32_t k = instruction->k;

	switch (BPF_CLASS(instruction->code)) {
	case BPF_LD:
		machine->a = load(machine, instruction);
		return;
	case BPF_LDX:
		machine->x = load(machine, instruction);
		return;
	case BPF_ST:
	case BPF_STX:
		if (k < BPF_MEMWORDS)
			machine->memory[k] = BPF_CLASS(instruction->code) == BPF_ST ? machine->a :
										      machine->x;
		return;
	case BPF_ALU:
		machine->a = reckon(instruction->code, machine->a,
				    BPF_SRC(instruction->code) == BPF_X ? machine->x : k);
		return;
	default: /* BPF_MISC */
		if (BPF_MISCOP(instruction->code) == BPF_TAX)
			machine->x = machine->a;
		else
			machine->a = machine->x;
	}
}

uint32_t hostfilter_run(const struct sock_filter *filter, unsigned count,
			const struct seccomp_data *data)
{
	struct machine machine = { .data = data };

	/* There are no jumps back. */
	for (uint64_t at = 0; at < count; at++) {
		const struct sock_filter *instruction = &filter[at];

		if (BPF_CLASS(instruction->code) == BPF_RET)
			return BPF_RVAL(instruction->code) == BPF_A ? machine.a : instruction->k;
		if (divides_by_nothing(&machine, instruction))
			return SECCOMP_RET_KILL_THREAD;
		if (BPF_CLASS(instruction->code) == BPF_JMP)
			at += jump(&machine, instruction);
		else
			step(&machine, instruction);
	}
	return SECCOMP_RET_ALLOW; /* the kernel takes no such filter */
}

/* --------------------------------------------------------------- our calls */

static const struct seccomp_data calls[HOSTFILTER_CALLS] = {
	[HOSTFILTER_QUERY] = {
		.nr = SYS_ioctl,
		.args = { SOME_DESCRIPTOR, VMA_QUERY_REQUEST },
	},
	[HOSTFILTER_POPULATE] = {
		.nr = MMAP,
		.args = { SOME_PAGE, PAGE_BYTES, PROT_READ | PROT_EXEC,
			  MAP_FIXED | MAP_SHARED | MAP_POPULATE, SOME_DESCRIPTOR },
	},
	[HOSTFILTER_NOREPLACE] = {
		.nr = MMAP,
		.args = { SOME_PAGE, PAGE_BYTES, PROT_READ,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
			  (uint64_t)-1 },
	},
	[HOSTFILTER_READ_MEMORY] = { .nr = SYS_process_vm_readv, .args = { 0, SOME_PAGE, 1, SOME_PAGE, 1 } },
	[HOSTFILTER_WRITE_MEMORY] = { .nr = SYS_process_vm_writev, .args = { 0, SOME_PAGE, 1, SOME_PAGE, 1 } },
	[HOSTFILTER_PENDING] = { .nr = SYS_rt_sigpending, .args = { SOME_PAGE, sizeof(uint64_t) } },
	[HOSTFILTER_OPEN] = { .nr = SYS_openat, .args = { CURRENT_FOLDER, SOME_PAGE } },
	[HOSTFILTER_NEW_FILE] = { .nr = SYS_memfd_create, .args = { SOME_PAGE, MFD_CLOEXEC } },
	[HOSTFILTER_TRUNCATE] = { .nr = FTRUNCATE, .args = { SOME_DESCRIPTOR, PAGE_BYTES } },
	[HOSTFILTER_ALLOCATE] = {
		.nr = SYS_fallocate,
		.args = { SOME_DESCRIPTOR, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE },
	},
	[HOSTFILTER_WRITE_AT] = { .nr = SYS_pwrite64, .args = { SOME_DESCRIPTOR, SOME_PAGE, PAGE_BYTES } },
	[HOSTFILTER_SEEK] = { .nr = LSEEK, .args = SEEK_ARGUMENTS },
	[HOSTFILTER_FILTER] = {
		.nr = SYS_seccomp,
		.args = { SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, SOME_PAGE },
	},
	[HOSTFILTER_PIPE] = { .nr = SYS_pipe2, .args = { SOME_PAGE, O_CLOEXEC | O_NONBLOCK } },
	[HOSTFILTER_TREE] = { .nr = SYS_open_tree, .args = { CURRENT_FOLDER, SOME_PAGE, O_CLOEXEC } },
	[HOSTFILTER_LIMIT] = { .nr = SYS_prlimit64, .args = { 0, RLIMIT_FSIZE, 0, SOME_PAGE } },
};

/* An error is no end, and a tracer or a supervisor gives one. */
static bool is_end(uint32_t answer)
{
	switch (answer & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_USER_NOTIF:
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ALLOW:
		return false;
	default:
		return true;
	}
}

static void ask(const struct sock_filter *filter, unsigned count)
{
	for (unsigned i = 0; i < HOSTFILTER_CALLS; i++) {
		struct seccomp_data data = calls[i];

		data.arch = ARCH_AUDIT;
		/* Filters that let libraries alone go by the caller; that is none of them. */
		data.instruction_pointer = (uintptr_t)ask;
		if (i == HOSTFILTER_READ_MEMORY || i == HOSTFILTER_WRITE_MEMORY)
			data.args[0] = (uint64_t)sys_getpid();
		if (is_end(hostfilter_run(filter, count, &data)))
			atomic_store(&ends[i], true);
	}
}

void hostfilter_read(uintptr_t program)
{
	struct sock_fprog told;
	size_t length;
	long copy;

	if (sys_read_memory(sys_getpid(), &told, program, sizeof told) != (long)sizeof told ||
	    !told.len || told.len > BPF_MAXINSNS)
		return;
	length = told.len * sizeof *told.filter;
	copy = sys_mmap(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sys_failed(copy))
		return;
	if (sys_read_memory(sys_getpid(), (void *)copy, (uintptr_t)told.filter, length) == (long)length)
		ask((const struct sock_filter *)copy, told.len);
	sys_munmap((uintptr_t)copy, length);
}
