/*
 * The runtime of the benchmark workloads: page tables, a UART, the clock and the power switch of
 * QEMU's `virt` board. It prints one line, `NAME ok TICKS INSTRUCTIONS`, and powers off. TICKS of the
 * 10 MHz clock and retired INSTRUCTIONS count workload() only.
 */
#include "runtime.h"

#define RAM_START 0x80000000ul
#define RAM_MAPPED (32ul << 20)
#define UART 0x10000000ul
#define UART_LSR_THRE 0x20
#define FINISHER 0x100000ul
#define FINISHER_PASS 0x5555
#define FINISHER_FAIL 0x3333

#define PAGE 4096ul
#define ENTRIES 512
/* Valid, readable, writable, accessed and dirty; RAM is executable as well. */
#define PTE_DEVICE 0xc7
#define PTE_RAM 0xcf
#define PTE_TABLE 0x01
#define SATP_SV39 (8ul << 60)

static uint64_t root[ENTRIES] __attribute__((aligned(PAGE)));
static uint64_t tables[RAM_MAPPED / (ENTRIES * PAGE) + 8][ENTRIES] __attribute__((aligned(PAGE)));
static size_t tables_used;

static uint64_t *descend(uint64_t *entry) {
  if (!*entry) *entry = (uint64_t)tables[tables_used++] >> 2 | PTE_TABLE;
  return (uint64_t *)(*entry >> 10 << 12);
}

static void map_page(uint64_t address, uint64_t flags) {
  uint64_t *middle = descend(&root[address >> 30 & 511]);
  uint64_t *leaf = descend(&middle[address >> 21 & 511]);
  leaf[address >> 12 & 511] = address >> 2 | flags;
}

/** Maps RAM and the two devices to their own addresses, in pages of 4 KiB. Returns satp. */
uint64_t build_page_tables(void) {
  for (uint64_t offset = 0; offset < RAM_MAPPED; offset += PAGE) map_page(RAM_START + offset, PTE_RAM);
  map_page(UART, PTE_DEVICE);
  map_page(FINISHER, PTE_DEVICE);
  return SATP_SV39 | (uint64_t)root >> 12;
}

static void put(char byte) {
  volatile uint8_t *uart = (volatile uint8_t *)UART;
  while (!(uart[5] & UART_LSR_THRE)) continue;
  uart[0] = byte;
}

static void print(const char *text) {
  while (*text) put(*text++);
}

static void print_number(uint64_t value, unsigned base) {
  if (value >= base) print_number(value / base, base);
  put("0123456789abcdef"[value % base]);
}

static _Noreturn void power_off(uint32_t code) {
  *(volatile uint32_t *)FINISHER = code;
  for (;;) continue;
}

_Noreturn void trapped(uint64_t cause, uint64_t pc, uint64_t value) {
  print(workload_name);
  print(" trap ");
  print_number(cause, 16);
  print(" at ");
  print_number(pc, 16);
  print(" value ");
  print_number(value, 16);
  print("\n");
  power_off(FINISHER_FAIL | 1 << 16);
}

#define READ_COUNTER(name)                                                                                   \
  ({                                                                                                         \
    uint64_t value;                                                                                          \
    __asm__ volatile("rd" #name " %0" : "=r"(value)::"memory");                                              \
    value;                                                                                                   \
  })

_Noreturn void supervisor(void) {
  uint64_t ticks = READ_COUNTER(time);
  uint64_t instructions = READ_COUNTER(instret);
  uint64_t sum = workload();
  instructions = READ_COUNTER(instret) - instructions;
  ticks = READ_COUNTER(time) - ticks;

  print(workload_name);
  if (sum != expected) {
    print(" wrong ");
    print_number(sum, 16);
    print("\n");
    power_off(FINISHER_FAIL | 1 << 16);
  }
  print(" ok ");
  print_number(ticks, 10);
  print(" ");
  print_number(instructions, 10);
  print("\n");
  power_off(FINISHER_PASS);
}

/* gcc generates calls to these. */
void *memcpy(void *to, const void *from, size_t length) {
  uint8_t *target = to;
  const uint8_t *source = from;
  if (((uintptr_t)target & 7) == ((uintptr_t)source & 7)) {
    for (; length && (uintptr_t)target & 7; length--) *target++ = *source++;
    for (; length >= 8; length -= 8, target += 8, source += 8) *(uint64_t *)target = *(const uint64_t *)source;
  }
  while (length--) *target++ = *source++;
  return to;
}

void *memset(void *to, int byte, size_t length) {
  uint8_t *target = to;
  for (; length && (uintptr_t)target & 7; length--) *target++ = byte;
  for (; length >= 8; length -= 8, target += 8) *(uint64_t *)target = (uint8_t)byte * 0x0101010101010101u;
  while (length--) *target++ = byte;
  return to;
}
