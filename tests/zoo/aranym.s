| aranym.s: what ARAnyM runs, with no system in it: a ROM that adds up in loops, over memory;
| that talks to hardware, which the emulator serves in its handler of SIGSEGV, after a look
| at the instruction of its own compiled code that met the fault; that changes a function
| and calls it; and that says by the emulator's own features what came of it, and ends.
	.equ	stack, 0x8000
	.equ	text, 0x9000
	.equ	table, 0x10000
	.equ	function, 0x20000
	.equ	colour, 0xffff8240
	.equ	screen, 0xffff8201

| As EmuTOS begins: a branch, its version, and where the processor does.
	.text
	.short	0x602e, 0x0206
	.long	0xe00030
	.org	0x30

	lea	stack,%sp
	move.l	#300000,%d1
	moveq	#0,%d0
	move.l	#12345,%d2
memory:	mulu.w	#31421,%d2
	add.l	#6927,%d2
	eor.l	%d2,%d0
	rol.l	#3,%d0
	lea	table,%a0
	move.w	%d1,%d3
	and.l	#0xffc,%d3
	add.l	%d0,(%a0,%d3.l)
	subq.l	#1,%d1
	bne.s	memory

	move.l	#3000,%d1
hardware:
	move.w	%d1,colour.w
	move.w	colour.w,%d3
	and.l	#0x0f0f,%d3
	add.l	%d3,%d0
	move.b	%d1,screen.w
	move.b	screen.w,%d3
	eor.b	%d3,%d0
	rol.l	#3,%d0
	subq.l	#1,%d1
	bne.s	hardware

| add.l #n,%d0; rts
	lea	function,%a0
	move.w	#0x0680,(%a0)
	move.w	#0x4e75,6(%a0)
	move.l	#200,%d1
change:	move.l	%d1,2(%a0)
	cpusha	%bc
	moveq	#20,%d3
again:	jsr	(%a0)
	rol.l	#1,%d0
	dbra	%d3,again
	subq.l	#1,%d1
	bne.s	change

	lea	table,%a0
	move.w	#1023,%d1
sum:	move.l	(%a0)+,%d2
	eor.l	%d2,%d0
	rol.l	#1,%d0
	dbra	%d1,sum

	lea	text,%a0
	moveq	#7,%d1
digit:	rol.l	#4,%d0
	move.b	%d0,%d2
	and.w	#15,%d2
	add.b	#'0,%d2
	cmp.b	#'9,%d2
	ble.s	decimal
	add.b	#'a-'9-1,%d2
decimal:
	move.b	%d2,(%a0)+
	dbra	%d1,digit
	move.b	#10,(%a0)+
	clr.b	(%a0)

| A feature's number is asked for by its name, and called with what lies behind it.
	pea	text
	lea	stderr(%pc),%a0
	bsr.s	call
	lea	shutdown(%pc),%a0
	bsr.s	call
end:	bra.s	end

call:	move.l	(%sp)+,%a1
	move.l	%a0,-(%sp)
	clr.l	-(%sp)
	.short	0x7300
	addq.l	#8,%sp
	move.l	%d0,-(%sp)
	clr.l	-(%sp)
	.short	0x7301
	addq.l	#8,%sp
	jmp	(%a1)

stderr:	.asciz	"NF_STDERR"
shutdown:
	.asciz	"NF_SHUTDOWN"
