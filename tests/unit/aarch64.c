/* aarch64.c: what src/arch/aarch64.h reads out of signal frames and instructions.
 *
 * The instructions are the assembler's. Built with a cross compiler and run by an
 * emulator where this is another processor (cross.bats). */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "sys.h"
#include "tap.h"

/* ------------------------------------------------------------- instructions */

#define HIDDEN __attribute__((visibility("hidden")))

extern const uint32_t storing[] HIDDEN, storing_end[] HIDDEN;
extern const uint32_t loading[] HIDDEN, loading_end[] HIDDEN;

__asm__(".pushsection .rodata\n"
	".arch armv8.5-a+sve+rcpc\n"
	".p2align 2\n"
	"storing:\n"
	"	str w0, [x1]\n"
	"	str x0, [x1, #8]!\n"
	"	str x0, [x1], #8\n"
	"	str w0, [x1, x2, lsl #2]\n"
	"	strb w0, [x1]\n"
	"	strh w0, [x1, #2]\n"
	"	stur x0, [x1, #3]\n"
	"	sttr x0, [x1]\n"
	"	str b0, [x1]\n"
	"	str h0, [x1]\n"
	"	str s0, [x1]\n"
	"	str d0, [x1]\n"
	"	str q0, [x1]\n"
	"	stur q0, [x1, #1]\n"
	"	str q0, [x1, x2]\n"
	"	str q0, [x1], #16\n"
	"	stp w0, w2, [x1]\n"
	"	stp x0, x2, [x1, #16]!\n"
	"	stp x0, x2, [x1], #16\n"
	"	stp q0, q2, [x1]\n"
	"	stnp x0, x2, [x1]\n"
	"	stxr w0, x2, [x1]\n"
	"	stlxr w0, w2, [x1]\n"
	"	stxp w0, x2, x3, [x1]\n"
	"	stlr x0, [x1]\n"
	"	stlrb w0, [x1]\n"
	"	stllr w0, [x1]\n"
	"	stlur x0, [x1, #8]\n"
	"	cas x0, x2, [x1]\n"
	"	casal w0, w2, [x1]\n"
	"	casab w0, w2, [x1]\n"
	"	casp x0, x1, x2, x3, [x4]\n"
	"	caspal w0, w1, w2, w3, [x4]\n"
	"	ldadd x0, x2, [x1]\n"
	"	ldsetal w0, w2, [x1]\n"
	"	stclr x0, [x1]\n"
	"	swp x0, x2, [x1]\n"
	"	swpab w0, w2, [x1]\n"
	"	st1 {v0.16b}, [x1]\n"
	"	st1 {v0.b}[3], [x1], #1\n"
	"	st4 {v0.4s-v3.4s}, [x1], #64\n"
	"	st2 {v0.d, v1.d}[1], [x1]\n"
	"	dc zva, x1\n"
	"	st1b {z0.b}, p0, [x1]\n"
	"	st1d {z0.d}, p0, [x1, z2.d]\n"
	"	str z0, [x1]\n"
	"	str p0, [x1]\n"
	"storing_end:\n"
	"loading:\n"
	"	ldr w0, [x1]\n"
	"	ldr x0, [x1], #8\n"
	"	ldr x0, [x1, x2]\n"
	"	ldr x0, .\n"
	"	ldr q0, .\n"
	"	ldrsw x0, .\n"
	"	ldrb w0, [x1]\n"
	"	ldrsb x0, [x1]\n"
	"	ldrsh w0, [x1]\n"
	"	ldrsw x0, [x1, #4]!\n"
	"	ldur x0, [x1, #3]\n"
	"	ldtr x0, [x1]\n"
	"	prfm pldl1keep, [x1]\n"
	"	ldr b0, [x1]\n"
	"	ldr d0, [x1]\n"
	"	ldr q0, [x1]\n"
	"	ldur q0, [x1, #1]\n"
	"	ldr q0, [x1, x2]\n"
	"	ldp w0, w2, [x1]\n"
	"	ldpsw x0, x2, [x1]\n"
	"	ldp q0, q2, [x1], #32\n"
	"	ldnp x0, x2, [x1]\n"
	"	ldxr x0, [x1]\n"
	"	ldaxp x0, x2, [x1]\n"
	"	ldar x0, [x1]\n"
	"	ldlar x0, [x1]\n"
	"	ldapr x0, [x1]\n"
	"	ldapur x0, [x1, #8]\n"
	"	ldraa x0, [x1]\n"
	"	ldrab x0, [x1, #8]!\n"
	"	ld1 {v0.16b}, [x1]\n"
	"	ld1r {v0.16b}, [x1]\n"
	"	ld4 {v0.4s-v3.4s}, [x1], #64\n"
	"	ld1b {z0.b}, p0/z, [x1]\n"
	"	ldr z0, [x1]\n"
	"	dc cvau, x1\n"
	"	ic ivau, x1\n"
	"	add x0, x1, x2\n"
	"	ret\n"
	"	svc #0\n"
	"loading_end:\n"
	".popsection\n");

/* How many of them the header takes for what they are. */
static long taken_for(const uint32_t *from, const uint32_t *end, int stores)
{
	long right = 0;

	for (const uint32_t *at = from; at < end; at++) {
		if (arch_stores(*at) == stores)
			right++;
		else
			printf("# %08x, the %ldth\n", (unsigned)*at, (long)(at - from) + 1);
	}
	return right;
}

static void instructions(void)
{
	CHECK(storing_end - storing > 40 && loading_end - loading > 30, "there are instructions");
	SAME(taken_for(storing, storing_end, 1), storing_end - storing, "what stores");
	SAME(taken_for(loading, loading_end, 0), loading_end - loading, "what does not");
}

/* Three of those that store do so exclusively: stxr, stlxr and stxp. */
static void copies(void)
{
	unsigned char slot[4];
	uint32_t branch;
	int stores = 0, loads = 0;

	for (const uint32_t *at = storing; at < storing_end; at++)
		stores += arch_steps_aside(*at);
	for (const uint32_t *at = loading; at < loading_end; at++)
		loads += arch_steps_aside(*at);
	SAME(stores, storing_end - storing - 3, "what stores by a copy as well");
	SAME(loads, 0, "what does not");
	arch_write_jump_back(slot, 0x10000, 0x10008);
	memcpy(&branch, slot, sizeof(branch));
	SAME(branch, 0x14000002u, "a branch ahead");
	arch_write_jump_back(slot, 0x8010000, 0x10004);
	memcpy(&branch, slot, sizeof(branch));
	SAME(branch, 0x16000001u, "a branch back, nearly as far as there is");
	SAME(arch_write_jump(slot, 0x10000000, 0x8000000), 1, "a jump as far back as there is");
	memcpy(&branch, slot, sizeof(branch));
	SAME(branch, 0x16000000u, "... and the branch");
	SAME(arch_write_jump(slot, 0x10000000, 0x7fffffc), 0, "a jump too far back");
	SAME(arch_write_jump(slot, 0x10000000, 0x17fffffc), 1, "a jump as far ahead as there is");
	memcpy(&branch, slot, sizeof(branch));
	SAME(branch, 0x15ffffffu, "... and the branch, which is another");
	SAME(arch_write_jump(slot, 0x10000000, 0x18000000), 0, "a jump too far ahead");
}

/* ------------------------------------------------------------------- frames */

static ucontext_t context;
static size_t frame_length;

static void empty_frame(void)
{
	memset(&context, 0, sizeof(context));
	frame_length = 0;
}

static void add_record(uint32_t magic, uint32_t size, uint64_t value)
{
	unsigned char *at = context.uc_mcontext.__reserved + frame_length;

	memcpy(at, &magic, sizeof(magic));
	memcpy(at + 4, &size, sizeof(size));
	memcpy(at + 8, &value, sizeof(value));
	frame_length += size;
}

/* As the kernel makes it: the vector registers come first. */
static void fault_with(uint64_t syndrome)
{
	empty_frame();
	add_record(0x46508001u, 0x210, 0);
	add_record(0x45535201u, 16, syndrome);
}

static void frames(void)
{
	static const uint32_t store = 0xb9000020u, load = 0xb9400020u;

	fault_with(0x8200000fu); /* instruction abort, permission */
	CHECK(arch_fault_is_fetch(&context) && !arch_fault_is_write(&context), "a fetch");
	fault_with(0x9200004fu); /* data abort, permission, write */
	CHECK(!arch_fault_is_fetch(&context) && arch_fault_is_write(&context), "a write");
	fault_with(0x9200000fu);
	CHECK(!arch_fault_is_fetch(&context) && !arch_fault_is_write(&context), "a read");
	fault_with(0x9200014fu);
	CHECK(!arch_fault_is_write(&context), "upkeep of the caches is no write");

	empty_frame();
	add_record(0x46508001u, 0x210, 0);
	context.uc_mcontext.pc = context.uc_mcontext.fault_address = (uintptr_t)&store;
	CHECK(arch_fault_is_fetch(&context) && !arch_fault_is_write(&context),
	      "without a record, a fetch by its address");
	context.uc_mcontext.fault_address += 4096;
	CHECK(!arch_fault_is_fetch(&context) && arch_fault_is_write(&context),
	      "a write by its instruction");
	context.uc_mcontext.pc = (uintptr_t)&load;
	CHECK(!arch_fault_is_fetch(&context) && !arch_fault_is_write(&context),
	      "a read by its instruction");

	empty_frame();
	add_record(0x45535202u, 4, 0);
	CHECK(arch_syndrome(&context) == 0, "a record shorter than its head ends the search");
	empty_frame();
	add_record(0x46508001u, sizeof(context.uc_mcontext.__reserved), 0);
	CHECK(arch_syndrome(&context) == 0, "one as long as the frame too");
}

/* -------------------------------------------------------------------- calls */

static void calls(void)
{
	static char page[4096];

	SAME(SYS_CALL(SYS_getpid, 0, 0, 0, 0, 0, 0), sys_getpid(), "a system call's result");
	SAME(sys_close(-1), -EBADF, "and its error");
	SAME(sys_mmap(0, sizeof(page), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1), -EINVAL,
	     "the sixth argument arrives");
	arch_synchronise_code((uintptr_t)page + 1, sizeof(page) - 2);
	CHECK(page[0] == 0, "caches are brought in line");
}

int main(void)
{
	instructions();
	copies();
	frames();
	calls();
	return tap_done();
}
