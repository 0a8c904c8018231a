# A hash chain whose links are numbers, and a count for each low byte: only the chain's pages cannot be predicted.
chain:
	sh1add	a5, a0, a1
	lhu	a0, 0(a5)
	andi	a4, a0, 255
	sh2add	a4, a4, a2
	lw	a3, 0(a4)
	addi	a3, a3, 1
	sw	a3, 0(a4)
	bnez	a0, chain
	ret
