/* faults.c: faults that the walk expects, and what their handler sees. See walk.h. */
#include "walk.h"

#include <ucontext.h>

#ifndef SEGV_PKUERR
#define SEGV_PKUERR 4
#endif

enum { STACK_BYTES = 1 << 16 };

/* Of the thread. */
static _Thread_local struct {
	sigjmp_buf *back; /* NULL: no fault is expected */
	struct met met;
	int mended;       /* PROT_* */
	unsigned times;
} expected;

#ifdef __x86_64__
enum { DESTINATION = REG_RDI, COUNT = REG_RCX };
#else
enum { DESTINATION = REG_EDI, COUNT = REG_ECX };
#endif

static int access_of(const ucontext_t *context)
{
	greg_t error = context->uc_mcontext.gregs[REG_ERR];

	return error & 16 ? PROT_EXEC : error & 2 ? PROT_WRITE : PROT_READ;
}

static struct met seen(int signal, const siginfo_t *info, const ucontext_t *context)
{
	return (struct met){
		.signal = signal,
		.code = info->si_code,
		.address = info->si_addr,
		.access = signal == SIGSEGV || signal == SIGBUS ? access_of(context) : 0,
		.at = (void *)interrupted_at(context),
		.rdi = context->uc_mcontext.gregs[DESTINATION],
		.rcx = context->uc_mcontext.gregs[COUNT],
	};
}

/* A handler that gives the page what was missing, as write barriers do. */
static bool mend(const void *address)
{
	uintptr_t page = (uintptr_t)address & ~(PAGE - 1);
	struct range range = { 0 };
	struct page *known = page_of(address);
	long result;

	if (!expected.times || !known || known->wiped)
		return false;
	expected.times--;
	for (struct region *region = regions; region < regions + REGIONS; region++)
		if (known >= region->page && known < region->page + region->most)
			range = (struct range){ region, (size_t)(known - region->page), 1,
						(void *)page, PAGE };
	result = mprotect((void *)page, PAGE, expected.mended);
	shadow_protect(&range, expected.mended, !result);
	tell("  mended %s %s: %s", place((void *)page), protection_words(expected.mended),
	     answer(result));
	return !result;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	int error = errno;
	bool mended = signal == SIGSEGV && mend(info->si_addr);

	errno = error;
	if (mended)
		return;
	if (!expected.back) {
		tell("fault without end: signal %d code %d at %s, instruction %s", signal,
		     info->si_code, place(info->si_addr), place((void *)interrupted_at(context)));
		_exit(98);
	}
	expected.met = seen(signal, info, context);
	siglongjmp(*expected.back, 1);
}

struct met meet(void (*work)(void *argument), void *argument)
{
	sigjmp_buf *before = expected.back, back;
	struct met met;

	expected.met = (struct met){ 0 };
	if (!sigsetjmp(back, 1)) {
		expected.back = &back;
		work(argument);
	}
	expected.back = before;
	met = expected.met;
	expected.met = (struct met){ 0 };
	return met;
}

void faults_mend(int protection, unsigned times)
{
	expected.mended = protection;
	expected.times = times;
}

int faults_mended(void)
{
	return expected.times ? expected.mended : PROT_NONE;
}

static const char *code_words(const struct met *met)
{
	switch (met->signal) {
	case SIGSEGV:
		return met->code == SEGV_MAPERR ? "SEGV_MAPERR" :
		       met->code == SEGV_ACCERR ? "SEGV_ACCERR" :
		       met->code == SEGV_PKUERR ? "SEGV_PKUERR" : "SIGSEGV";
	case SIGBUS: return met->code == BUS_ADRERR ? "BUS_ADRERR" : "SIGBUS";
	case SIGILL: return met->code == ILL_ILLOPN ? "ILL_ILLOPN" : "SIGILL";
	case SIGTRAP: return met->code == SI_KERNEL ? "SIGTRAP of the kernel" : "SIGTRAP";
	}
	return "another signal";
}

const char *met_words(const struct met *met)
{
	static _Thread_local char words[160];

	if (!met->signal)
		return "";
	snprintf(words, sizeof(words), " %s %s %s at %s", code_words(met),
		 met->access == PROT_EXEC  ? "fetch" :
		 met->access == PROT_WRITE ? "write" :
		 met->access == PROT_READ  ? "read" : "",
		 place(met->address), place(met->at));
	return words;
}

const char *protection_words(int protection)
{
	static const char words[][4] = { "---", "r--", "-w-", "rw-", "--x", "r-x", "-wx", "rwx" };

	return words[protection & RWX];
}

/* Not PROT_EXEC alone: a known limit. */
int any_protection(uint32_t random)
{
	static const int protections[] = { PROT_NONE, PROT_READ, RW, RW, RW, RX, RX, RX, RWX, RWX, RWX,
					   RWX, PROT_WRITE, PROT_WRITE | PROT_EXEC, RWX, RX };

	return protections[random % (sizeof(protections) / sizeof(*protections))];
}

void faults_begin_thread(void)
{
	static char stacks[2][STACK_BYTES] __attribute__((aligned(4096)));
	static unsigned threads;
	stack_t stack = { .ss_sp = stacks[threads++ % 2], .ss_size = STACK_BYTES };

	must(!sigaltstack(&stack, NULL), "sigaltstack");
}

void faults_begin(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		must(!sigaction(signals[i], &action, NULL), "sigaction");
	faults_begin_thread();
}
