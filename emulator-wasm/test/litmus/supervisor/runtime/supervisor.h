/* The environment of an S-mode C program on SBI firmware. */
#pragma once
#include "check.h"

#define HARTS 4

struct sbi {
  i64 error;
  u64 value;
};

enum { SBI_BASE = 0x10, SBI_IPI = 0x735049, SBI_RFENCE = 0x52464e43, SBI_HSM = 0x48534d };
enum { SBI_SUCCESS = 0, SBI_INVALID_PARAM = -3, SBI_INVALID_ADDRESS = -5, SBI_ALREADY_AVAILABLE = -6 };
enum { HSM_STARTED = 0, HSM_STOPPED = 1, HSM_START_PENDING = 2, HSM_STOP_PENDING = 3 };

struct sbi sbi_call(u64 extension, u64 function, u64 a, u64 b, u64 c, u64 d, u64 e);

struct sbi hart_start(u64 hart, u64 address, u64 opaque);
struct sbi hart_status(u64 hart);
void hart_stop(void);
/* Calls for the harts of a mask. */
void send_ipi(u64 mask);
void remote_fence_i(u64 mask);
void remote_sfence(u64 mask, u64 start, u64 size);
void remote_sfence_asid(u64 mask, u64 start, u64 size, u64 asid);

/* Starts a hart at secondary(), and waits until it is running. */
void start_secondary(u64 hart, u64 opaque);
/* Waits until the hart has this HSM status, or for a limited time. Returns the last status. */
u64 wait_status(u64 hart, u64 status);

extern char secondary_start[];

/* Provided by the program. */
void secondary(u64 hart, u64 opaque);
int main(u64 boot_hart);

static inline void pause(void) { asm volatile(".insn 4, 0x0100000f" ::: "memory"); }
static inline void fence(void) { asm volatile("fence rw, rw" ::: "memory"); }
