/* qemu-system.c: what a machine of QEMU's runs, with nothing else in it. A multiboot kernel
 * whose two processors each write functions, call them once, and write others over them:
 * thousands of pages of translated code, made by two threads in one buffer. */
#include <stdint.h>

enum { SERIAL = 0x3f8, KEYBOARD = 0x64, RESET = 0xfe };
enum { FUNCTIONS = 3000, FUNCTION_BYTES = 32, ROUNDS = 4 };

/* The other processor begins in real mode, at a page below 1 MiB. */
enum { SECOND_PAGE = 8 };

__asm__(".section .multiboot, \"a\"\n"
	".long 0x1badb002, 0, -0x1badb002\n"
	".text\n"
	".globl _start\n"
	"_start:\n"
	"	mov $stacks + 16384, %esp\n"
	"	call first\n"
	".globl second_begin\n"
	"second_begin:\n"
	"	.code16\n"
	"	cli\n"
	"	xor %ax, %ax\n"
	"	mov %ax, %ds\n"
	"	lgdtl 0x8000 + descriptors - second_begin\n"
	"	mov %cr0, %eax\n"
	"	or $1, %al\n"
	"	mov %eax, %cr0\n"
	"	ljmpl $8, $protected\n"
	"descriptors:\n"
	"	.word 23\n"
	"	.long descriptor_table\n"
	".globl second_end\n"
	"second_end:\n"
	"	.code32\n"
	"protected:\n"
	"	mov $16, %ax\n"
	"	mov %ax, %ds\n"
	"	mov %ax, %es\n"
	"	mov %ax, %ss\n"
	"	mov $stacks + 32768, %esp\n"
	"	call second\n"
	"	.balign 8\n"
	"descriptor_table:\n"
	"	.quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff\n");

extern const uint8_t second_begin[], second_end[];

uint8_t stacks[2][16384];
static uint8_t code[2][FUNCTIONS * FUNCTION_BYTES];
static volatile uint32_t sums[2];
static volatile int begun, done;

static void out(uint16_t port, uint8_t byte)
{
	__asm__ volatile("outb %0, %1" : : "a"(byte), "Nd"(port));
}

static void print(uint32_t number)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		out(SERIAL, (uint8_t)"0123456789abcdef"[number >> shift & 15]);
	out(SERIAL, '\n');
}

static void put(uint8_t *to, uint32_t number)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(number >> 8 * i);
}

/* mov $constant, %eax; xor 4(%esp), %eax; imul $33, %eax, %eax; ret */
static void write_function(uint8_t *to, uint32_t constant)
{
	to[0] = 0xb8;
	put(to + 1, constant);
	put(to + 5, 0x04244433);
	to[9] = 0x6b;
	to[10] = 0xc0;
	to[11] = 33;
	to[12] = 0xc3;
}

static uint32_t sum_of(uint8_t *area, uint32_t sum)
{
	for (uint32_t round = 0; round < ROUNDS; round++)
		for (uint32_t i = 0; i < FUNCTIONS; i++) {
			uint8_t *at = area + i * FUNCTION_BYTES;

			write_function(at, i * ROUNDS + round);
			sum = ((uint32_t(*)(uint32_t))at)(sum);
		}
	return sum;
}

static void start_second(void)
{
	volatile uint32_t *local_apic = (volatile uint32_t *)0xfee00000;
	uint8_t *page = (uint8_t *)(SECOND_PAGE * 4096);
	const uint8_t *from;

	for (from = second_begin; from < second_end; from++)
		page[from - second_begin] = *from;
	local_apic[0x310 / 4] = 1 << 24; /* to whom */
	local_apic[0x300 / 4] = 0x4500; /* INIT */
	while (!begun)
		local_apic[0x300 / 4] = 0x4600 | SECOND_PAGE; /* start */
}

void second(void)
{
	begun = 1;
	sums[1] = sum_of(code[1], 2);
	done = 1;
	for (;;)
		__asm__ volatile("cli; hlt");
}

void first(void)
{
	start_second();
	sums[0] = sum_of(code[0], 1);
	while (!done)
		__asm__ volatile("pause");
	print(sums[0]);
	print(sums[1]);
	out(KEYBOARD, RESET);
	for (;;)
		__asm__ volatile("cli; hlt");
}
