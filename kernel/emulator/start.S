/*
 * The start of an emulator of another processor, before its own. QEMU emulates its largest processor unless
 * QEMU_CPU names one. Its pointer authentication and SVE cost a fifth of the time of a program that starts.
 * So this adds two variables to the environment: QEMU_CPU, and QEMU_UNSET_ENV, by which QEMU hides both from
 * the program. A QEMU_CPU of the caller counts in place of them, and stays visible.
 *
 * The linker defines `original`, QEMU's own entry point. At the start, sp points to argc, argv, environment
 * and auxiliary vector (System V ABI, "Process Initialization"), and a0 has to be kept.
 */
	.globl	_start
_start:
	ld	t0, 0(sp)
	slli	t0, t0, 3
	add	t0, t0, sp
	addi	t0, t0, 16
	mv	t1, t0			/* the environment */
1:	ld	t2, 0(t1)
	beqz	t2, 4f
	lla	t3, variables
2:	lbu	t4, 0(t2)
	lbu	t5, 0(t3)
	bne	t4, t5, 3f
	addi	t2, t2, 1
	addi	t3, t3, 1
	addi	t4, t4, -'='
	bnez	t4, 2b
	tail	original
3:	addi	t1, t1, 8
	j	1b
4:	addi	t1, sp, -16		/* argc and argv move down, and make room for two */
	mv	t2, sp
	mv	sp, t1
5:	ld	t3, 0(t2)
	sd	t3, 0(t1)
	addi	t1, t1, 8
	addi	t2, t2, 8
	bne	t2, t0, 5b
	lla	t3, variables
	sd	t3, 0(t1)
	lla	t3, hidden
	sd	t3, 8(t1)
	tail	original

variables:
	.asciz	"QEMU_CPU=neoverse-n1"
hidden:
	.asciz	"QEMU_UNSET_ENV=QEMU_CPU,QEMU_UNSET_ENV"
