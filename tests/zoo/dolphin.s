# dolphin.s: what Dolphin runs, a program file for a GameCube: adds up in a loop over memory;
# changes an instruction and has it executed, again and again; and says what came of it by
# the console's serial port, whose address it loads from memory. The emulator takes that for
# memory, and its handler of SIGSEGV changes the compiled code that met the fault.
	.equ	at, 0x80003100
	.equ	table, 0x8020
	.equ	stack, 0x8010

# Where in the file the text lies, where in memory, its size, and where it begins.
	.text
	.long	0x100
	.org	0x48
	.long	at
	.org	0x90
	.long	end - start
	.org	0xe0
	.long	at
	.org	0x100

start:	lis	1, stack
	lis	3, 4
	mtctr	3
	li	4, 0
	lis	5, table
	li	6, 12345
memory:	mulli	6, 6, 31421
	addi	6, 6, 6927
	xor	4, 4, 6
	rotlwi	4, 4, 3
	rlwinm	7, 6, 0, 20, 29
	lwzx	8, 5, 7
	add	8, 8, 4
	stwx	8, 5, 7
	bdnz	memory

	li	7, 0
	li	9, 1024
	mtctr	9
sum:	lwzx	8, 5, 7
	xor	4, 4, 8
	rotlwi	4, 4, 1
	addi	7, 7, 4
	bdnz	sum

# addi 4, 4, n
	lis	10, (at + changed - start)@h
	ori	10, 10, (at + changed - start)@l
	li	11, 100
change:	lis	12, 0x3884
	rlwimi	12, 11, 0, 16, 31
	stw	12, 0(10)
	dcbst	0, 10
	sync
	icbi	0, 10
	isync
changed:
	addi	4, 4, 1
	rotlwi	4, 4, 5
	addi	11, 11, -1
	cmpwi	11, 0
	bne	change

	li	9, 8
	mtctr	9
digit:	rotlwi	4, 4, 4
	rlwinm	6, 4, 0, 28, 31
	addi	6, 6, '0'
	cmpwi	6, '9'
	ble	decimal
	addi	6, 6, 'a' - '9' - 1
decimal:
	bl	put
	bdnz	digit
	li	6, '\r'
	bl	put
stay:	b	stay

# The second device of the first channel: a command, and a byte.
put:	lis	20, (at + channel - start)@h
	ori	20, 20, (at + channel - start)@l
	lwz	20, 0(20)
	li	21, 0x150
	stw	21, 0(20)
	lis	22, 0xa001
	li	23, 0x35
	stw	22, 0x10(20)
	stw	23, 0xc(20)
command:
	lwz	23, 0xc(20)
	andi.	23, 23, 1
	bne	command
	slwi	22, 6, 24
	li	23, 5
	stw	22, 0x10(20)
	stw	23, 0xc(20)
byte:	lwz	23, 0xc(20)
	andi.	23, 23, 1
	bne	byte
	li	21, 0
	stw	21, 0(20)
	blr

channel:
	.long	0xcc006800
	.balign	32
end:
