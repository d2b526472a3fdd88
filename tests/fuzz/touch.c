/* touch.c: operations that read and write memory, by the program's instructions and
 * by the kernel. See walk.h. */
#include "walk.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#define ELEMENTS(array) (sizeof(array) / sizeof(*(array)))

/* Each of store_forms and seldom_store_forms, as a function. */
enum { FORMS_MOST = 64, FORM_BYTES = 32 };
static const struct store_form *forms[FORMS_MOST];
static size_t form_count;
static unsigned char *functions;

static int source, pair[2];

static void add_forms(const struct store_form *form)
{
	for (; form->name; form++) {
		if (!store_form_works(form))
			continue;
		must(form_count < FORMS_MOST, "room for forms");
		memcpy(functions + form_count * FORM_BYTES, form->bytes, (size_t)form->length);
		forms[form_count++] = form;
	}
}

void touch_begin(void)
{
	unsigned char bytes[PAGE];

	functions = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(functions != MAP_FAILED, "mmap");
	add_forms(store_forms);
	add_forms(seldom_store_forms);
	must(!mprotect(functions, PAGE, RX), "mprotect");

	source = memfd_create("source", MFD_CLOEXEC);
	for (size_t page = 0; page < 8; page++) {
		for (size_t i = 0; i < PAGE; i++)
			bytes[i] = (unsigned char)(i * 7 + page * 31 + 1);
		must(write(source, bytes, PAGE) == (ssize_t)PAGE, "a memfd");
	}
	must(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), "socketpair");
}

/* Data mostly lies in the upper half of a page: in the lower one is code. */
static unsigned char *spot(uint32_t where, uint32_t offset, int align)
{
	struct range range = range_at(where, 1);
	size_t within = offset % 16 == 0 ? (offset >> 4) % PAGE :
			offset % 16 < 5  ? PAGE - 1 - (offset >> 4) % 64 :
					   PAGE / 2 + (offset >> 4) % (PAGE / 2);

	return range.start + within / (size_t)align * (size_t)align;
}

/* --------------------------------------------------------- stores and loads */

struct store {
	const struct store_form *form;
	const unsigned char *function;
	unsigned char *to;
	long value, result;
	unsigned times;
};

static void do_store(void *argument)
{
	struct store *store = argument;

	while (store->times--)
		store->result += code_call(store->function, store->to, store->value, 0);
}

size_t op_store(size_t at)
{
	const struct op *op = &ops[at];
	size_t which = op->c % form_count;
	struct store store = {
		.form = forms[which],
		.function = functions + which * FORM_BYTES,
		.value = (long)((uint64_t)op->d * 0x9e3779b97f4a7c15UL),
		.times = 1 + (op->c >> 16) % 16 / 12 * 9,
	};
	struct met met;

	store.to = spot(op->a, op->b, store.form->align);
	met = meet(do_store, &store);
	tell("%zu store %s %s: %lx%s", at, store.form->name, place(store.to),
	     met.signal ? 0 : store.result & store.form->result, met_words(&met));
	return at + 1;
}

struct load {
	const unsigned char *from;
	int width;
	uint64_t value;
};

static void do_load(void *argument)
{
	struct load *load = argument;

	switch (load->width) {
	case 1: load->value = *(const volatile uint8_t *)load->from; break;
	case 2: load->value = *(const volatile uint16_t *)load->from; break;
	case 4: load->value = *(const volatile uint32_t *)load->from; break;
	default: load->value = *(const volatile uint64_t *)load->from; break;
	}
}

size_t op_load(size_t at)
{
	const struct op *op = &ops[at];
	struct load load = { .from = spot(op->a, op->b, 1), .width = 1 << (op->c & 3) };
	struct met met = meet(do_load, &load);

	tell("%zu load %d %s: %llx%s", at, load.width, place(load.from),
	     (unsigned long long)load.value, met_words(&met));
	return at + 1;
}

/* ------------------------------------------------------------------- copies */

struct string {
	unsigned char *to;
	const unsigned char *from;
	size_t length;
	unsigned kind;
};

#ifdef __x86_64__
#define LONG "q"
#else
#define LONG "l"
#endif

static void do_string(void *argument)
{
	struct string string = *(struct string *)argument;

	switch (string.kind) {
	case 0:
		__asm__ volatile("rep movsb" : "+D"(string.to), "+S"(string.from), "+c"(string.length) : : "memory");
		break;
	case 1:
		__asm__ volatile("rep stosb" : "+D"(string.to), "+c"(string.length) : "a"(0xc3) : "memory");
		break;
	case 2:
		string.length /= sizeof(long);
		__asm__ volatile("rep movs" LONG : "+D"(string.to), "+S"(string.from), "+c"(string.length) : : "memory");
		break;
	case 3:
		string.length /= 4;
		__asm__ volatile("rep stosl" : "+D"(string.to), "+c"(string.length) : "a"(0x12345678) : "memory");
		break;
	default:
		string.to += string.length - 1;
		string.from += string.length - 1;
		__asm__ volatile("std; rep movsb; cld" : "+D"(string.to), "+S"(string.from), "+c"(string.length) : : "memory");
	}
}

static struct string string_of(const struct op *op)
{
	return (struct string){
		.to = spot(op->a, op->b, 1),
		.from = spot(op->c, op->d, 1),
		.length = 1 + (op->d >> 8) % (op->d & 3 ? 300 : 3 * PAGE),
		.kind = (op->b >> 24) % 5,
	};
}

/* How far it came is said by the registers that the handler sees; backwards, the
 * direction flag is still set there, which the kernel clears for a handler. */
size_t op_string(size_t at)
{
	struct string string = string_of(&ops[at]);
	struct met met = meet(do_string, &string);

	tell("%zu string %u %s from %s length %zu: %s%s", at, string.kind, place(string.to),
	     place(string.from), string.length, met.signal ? place((void *)met.rdi) : "done",
	     met_words(&met));
	if (met.signal)
		tell("  left: %ld", met.rcx);
	return at + 1;
}

static void do_copy(void *argument)
{
	struct string *string = argument;

	if (string->kind < 2)
		memset(string->to, 0x5a, string->length);
	else
		memmove(string->to, string->from, string->length);
}

/* By libc, in the widest pieces that there are. Where in an instruction of its own a
 * fault comes is libc's business, and how much came before it. */
size_t op_copy(size_t at)
{
	struct string string = string_of(&ops[at]);
	struct met met = meet(do_copy, &string);

	tell("%zu copy %u %s from %s length %zu:%s", at, string.kind, place(string.to),
	     place(string.from), string.length, met_words(&met));
	return at + 1;
}

struct sum {
	const unsigned char *from;
	uint64_t value;
};

static void do_sum(void *argument)
{
	struct sum *sum = argument;
	const volatile uint64_t *words = (const volatile uint64_t *)(const void *)sum->from;

	for (size_t i = 0; i < PAGE / sizeof(*words); i++)
		sum->value = (sum->value ^ words[i]) * 1099511628211ULL;
}

size_t op_sum(size_t at)
{
	const struct op *op = &ops[at];
	struct range range = op->b % 8 == 0 ? range_at(op->a % 4 ? 1 : 0, 64) : range_of(op->a, op->b);

	for (size_t i = 0; i < range.pages; i++) {
		struct sum sum = { .from = range.start + i * PAGE };
		struct met met = meet(do_sum, &sum);

		tell("%zu sum %s: %llx%s", at, place(sum.from), met.signal ? 0ULL : (unsigned long long)sum.value, met_words(&met));
	}
	return at + 1;
}

/* --------------------------------------------------------------- the kernel */

static ssize_t receive(unsigned char *to, size_t length)
{
	struct iovec vector = { to, length };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };
	unsigned char some[200];

	memset(some, 0x42, sizeof(some));
	must(send(pair[0], some, sizeof(some), 0) == sizeof(some), "send");
	return length % 2 ? recv(pair[1], to, length, 0) : recvmsg(pair[1], &message, 0);
}

/* What comes into some memory and then meets memory that cannot be written is lost
 * for a socket, so it must not be left for the next. */
static void drain(void)
{
	unsigned char rest[256];

	while (recv(pair[1], rest, sizeof(rest), MSG_DONTWAIT) > 0)
		;
}

/* Their numbers are left out. */
static ssize_t pipe_into(unsigned char *to)
{
	int ends[2];
	ssize_t result;

	if (pipe((void *)to))
		return -1;
	memcpy(ends, to, sizeof(ends));
	result = close(ends[0]) + close(ends[1]);
	memset(to, 7, sizeof(ends));
	return result;
}

static ssize_t read_into(unsigned kind, unsigned char *to, size_t length, unsigned char *other)
{
	struct iovec vector[2] = { { to, length }, { other, 50 } }, from = { (void *)(uintptr_t)op_kinds, 64 };
	ssize_t result;

	switch (kind) {
	case 0:
		lseek(source, 0, SEEK_SET);
		return read(source, to, length);
	case 1: return pread(source, to, length, 100);
	case 2: return preadv(source, vector, 2, 5);
	case 3:
		lseek(source, 3, SEEK_SET);
		return readv(source, vector, 2);
	case 4:
		result = receive(to, length);
		drain();
		return result;
	case 5:
		from.iov_len = vector[0].iov_len = 16;
		from.iov_base = (char []){ "sixteen bytes ." };
		return process_vm_writev(getpid(), vector, 1, &from, 1, 0);
	case 6: return getrlimit(RLIMIT_CORE, (void *)to);
	case 7: return pipe_into(to);
	default: return sigprocmask(SIG_BLOCK, NULL, (void *)to);
	}
}

struct kernel_call {
	unsigned kind;
	unsigned char *at, *other;
	size_t length;
	ssize_t result;
	int error;
};

static void do_read(void *argument)
{
	struct kernel_call *call = argument;

	errno = 0;
	call->result = read_into(call->kind, call->at, call->length, call->other);
	call->error = errno;
}

/* A set of signals is 128 bytes, all of them the program's, of which natively 8 are
 * looked at: one that lies half nowhere is left out. Some of it is done by libc, which
 * may write there itself, and fault. */
size_t op_kernel_writes(size_t at)
{
	const struct op *op = &ops[at];
	struct kernel_call call = {
		.kind = op->d % 9,
		.at = spot(op->a, op->b, 1),
		.other = spot(op->c, op->d >> 4, 1),
		.length = 1 + (op->c >> 4) % (op->c & 1 ? 100 : 3 * PAGE),
	};
	struct met met;

	if (call.kind == 8)
		call.at = (unsigned char *)((uintptr_t)call.at & ~(sizeof(sigset_t) - 1));
	met = meet(do_read, &call);
	errno = call.error;
	tell("%zu kernel writes %u %s length %zu other %s: %zd %s%s", at, call.kind, place(call.at),
	     call.length, place(call.other), call.result, answer(call.result), met_words(&met));
	return at + 1;
}

static ssize_t write_from(unsigned kind, unsigned char *from, size_t length)
{
	int file = file_of(kind & 1 ? SHARED_FILE : SHARED_MEMFD, false);
	struct iovec vector[2] = { { from, length }, { from, 10 } }, to;
	char bytes[64];

	switch (kind / 2) {
	case 0: return pwrite(file, from, length, 4 * 4096 - 100);
	case 1: return pwritev(file, vector, 2, 3 * 4096 + 2048);
	case 2:
		to = (struct iovec){ bytes, sizeof(bytes) };
		vector[0].iov_len = sizeof(bytes);
		return process_vm_readv(getpid(), &to, 1, vector, 1, 0);
	default:
		length = (size_t)send(pair[0], from, length % 150, 0);
		drain();
		return (ssize_t)length;
	}
}

/* What is written and executed, and not read, is readable all the same for every
 * instruction, and for the kernel, where it is code of ours: it is left out. */
static bool is_not_read(const unsigned char *address)
{
	const struct page *page = page_of(address);

	return page && page->unread;
}

/* Pages of shared files, and what is mapped of them, change by it. */
size_t op_kernel_reads(size_t at)
{
	const struct op *op = &ops[at];
	unsigned char *from = spot(op->a, op->b, 1);
	size_t length = 1 + (op->c >> 4) % (op->c & 1 ? 100 : PAGE);
	ssize_t result;

	if (is_not_read(from) || is_not_read(from + PAGE))
		return at + 1;
	result = write_from(op->d % 8, from, length);
	tell("%zu kernel reads %u %s length %zu: %zd %s", at, op->d % 8, place(from), length, result,
	     answer(result));
	return at + 1;
}
