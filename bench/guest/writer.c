/*
 * A program that writes code and runs it, as emulators and JITs do:
 *
 *     writer loop       writes functions once, and runs each of them for long
 *     writer rewrite    writes functions all the time, into slots of a buffer, each again and again. A new
 *                       one runs a few times at once, and some of the others run now and then.
 *
 * Without a library, so that it is short enough for a command line.
 */
#include <stdint.h>

enum { SYS_WRITE = 64, SYS_EXIT = 93, SYS_MMAP = 222, SYS_FLUSH_ICACHE = 259 };
enum { STEPS = 200000, SLOTS = 4096, SLOT_WORDS = 64, BODY = 24, NEW_CALLS = 8, OLD_CALLS = 4 };
enum { LOOPS = 64, PASSES = 12, ROUNDS = 100000 };

typedef unsigned long function(unsigned long value, unsigned long rounds);

static long syscall6(long number, long a, long b, long c, long d, long e, long f)
{
	register long a0 asm("a0") = a, a1 asm("a1") = b, a2 asm("a2") = c;
	register long a3 asm("a3") = d, a4 asm("a4") = e, a5 asm("a5") = f, a7 asm("a7") = number;

	asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7) : "memory");
	return a0;
}

static uint32_t random_word(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	return *state ^= *state << 5;
}

/* Writes a loop with BODY additions and exclusive ors of constants. */
static function *write_function(uint32_t *code, uint32_t *state)
{
	enum { ADDI = 0x13, XORI = 0x4013, A0 = 10 << 7 | 10 << 15, A1 = 11 << 7 | 11 << 15 };
	uint32_t *at = code;

	for (int n = 0; n < BODY; n++)
		*at++ = (n & 1 ? XORI : ADDI) | A0 | (random_word(state) & 0x7ff) << 20;
	*at++ = ADDI | A1 | 0xfffu << 20;
	/* bnez a1, -4 * (BODY + 1) */
	uint32_t back = -4 * (BODY + 1);
	*at++ = 0x1063 | 11 << 15 | (back >> 12 & 1) << 31 | (back >> 5 & 0x3f) << 25 | (back >> 1 & 0xf) << 8 |
		(back >> 11 & 1) << 7;
	*at = 0x8067;
	syscall6(SYS_FLUSH_ICACHE, (long)code, (long)(code + SLOT_WORDS), 0, 0, 0, 0);
	return (function *)code;
}

static void print(unsigned long value)
{
	char text[17];

	for (int n = 0; n < 16; n++)
		text[n] = "0123456789abcdef"[value >> (60 - 4 * n) & 15];
	text[16] = '\n';
	syscall6(SYS_WRITE, 1, (long)text, sizeof text, 0, 0, 0);
}

static unsigned long loop(uint32_t *buffer)
{
	uint32_t state = 1;
	unsigned long sum = 0;

	for (int n = 0; n < LOOPS; n++)
		write_function(buffer + n * SLOT_WORDS, &state);
	for (int pass = 0; pass < PASSES; pass++)
		for (int n = 0; n < LOOPS; n++)
			sum = ((function *)(buffer + n * SLOT_WORDS))(sum, ROUNDS);
	return sum;
}

static unsigned long rewrite(uint32_t *buffer)
{
	uint32_t state = 1;
	unsigned long sum = 0;

	for (int step = 0; step < STEPS; step++) {
		function *written = write_function(buffer + step % SLOTS * SLOT_WORDS, &state);

		for (int n = 0; n < NEW_CALLS; n++)
			sum = written(sum, 4 + random_word(&state) % 12);
		for (int n = 0; n < OLD_CALLS; n++) {
			int count = step < SLOTS ? step + 1 : SLOTS;
			function *old = (function *)(buffer + random_word(&state) % count * SLOT_WORDS);

			sum = old(sum, 4 + random_word(&state) % 12) * 31 + n;
		}
	}
	return sum;
}

__attribute__((used)) static void run(char **stack)
{
	uint32_t *buffer = (uint32_t *)syscall6(SYS_MMAP, 0, SLOTS * SLOT_WORDS * 4, 7, 0x22, -1, 0);
	/* The argument count is below the arguments. */
	const char *mode = stack[2];

	print(*mode == 'l' ? loop(buffer) : rewrite(buffer));
	syscall6(SYS_EXIT, 0, 0, 0, 0, 0, 0);
}

asm(".globl _start\n_start: mv a0, sp\ncall run");
