/**
 * The layout of the shared WebAssembly memory, which is the whole contract between the core (AssemblyScript)
 * and the host (TypeScript). Both import this file, so it holds only numeric constants and arithmetic. All
 * addresses are byte addresses in the shared memory. All words are 32-bit little-endian unless a comment says
 * otherwise. Words that several threads use are read and written with atomics.
 *
 *   0            the null page, never used
 *   MACHINE      one block for the whole machine: power, PLIC, UART, virtio register files
 *   HARTS        one block per hart: registers, CSRs, mailbox, translation caches
 *   PAGE_FLAGS   one byte per page of guest RAM
 *   RAM          guest physical memory from RAM_START on
 */

export const MAX_HARTS = 8;

// ---- Guest physical memory map, the same as that of QEMU's `virt` board -------------------
export const FINISHER_START = 0x0010_0000;
export const RTC_START = 0x0010_1000;
export const ACLINT_START = 0x0200_0000;
export const PLIC_START = 0x0c00_0000;
export const UART_START = 0x1000_0000;
export const VIRTIO_START = 0x1000_1000;
export const VIRTIO_STRIDE = 0x1000;
export const RAM_START = 0x8000_0000;

/**
 * PLIC source numbers. VIRTIO_SOURCE is the source of the first virtio slot; V_SOURCE holds each slot's
 * source.
 */
export const VIRTIO_SOURCE = 1;
export const UART_IRQ = 10;
export const RTC_IRQ = 11;

/** Guest time: mtime, rdtime and the device tree's timebase-frequency, in Hz. */
export const TIMEBASE = 10_000_000;

// ---- Machine block ------------------------------------------------------------------------
export const MACHINE = 0x1_0000;
export const MACHINE_SIZE = 0x1_0000;

/** POWER_* below. The host or any hart sets it. Every hart leaves `run` when it is not RUNNING. */
export const M_POWER = MACHINE + 0x00;
/** The exit code of POWER_FAIL (test finisher, HTIF), or the number of the system call of POWER_CALL. */
export const M_EXIT_CODE = MACHINE + 0x04;
export const M_HARTS = MACHINE + 0x08;
/** MODE_* bits, written by the host before any hart starts. */
export const M_MODE = MACHINE + 0x0c;
/** Host address (word) and length in bytes (u64) of guest RAM. */
export const M_RAM_BASE = MACHINE + 0x10;
export const M_RAM_SIZE = MACHINE + 0x18;
/** Host address of the page flags: one byte per page of guest RAM (PAGE_* bits). */
export const M_PAGE_FLAGS = MACHINE + 0x20;
/** HTIF: guest physical address (u64) of `tohost`, 0 if there is none. */
export const M_TOHOST = MACHINE + 0x28;
/** Offset (i64) that is added to rdtime's clock. The guest writes it through ACLINT mtime. */
export const M_TIME_OFFSET = MACHINE + 0x30;
/** Incremented and notified by a hart that has reported hot code. */
export const M_HOT = MACHINE + 0x38;
/** The number of modules that the translator has sent to each hart's thread. */
export const M_TRANSLATIONS = MACHINE + 0x3c;
/** Statistics of the translator (u32 each): regions, guest instructions in them, bytes, time in µs. */
export const M_REGIONS = MACHINE + 0x40;
export const M_REGION_INSTRUCTIONS = MACHINE + 0x44;
export const M_REGION_BYTES = MACHINE + 0x48;
export const M_TRANSLATION_TIME = MACHINE + 0x4c;
/** How often a hart evicted the oldest part of its compiled code. */
export const M_EVICTIONS = MACHINE + 0x50;
/**
 * Key of the hash that names pages of code (two u64). The host writes random bytes before any hart starts, so
 * that no guest can make two pages with one hash; reproducible runs have a fixed key.
 */
export const M_CODE_KEY = MACHINE + 0x58;
/** The credit for compiling (i64), in retired instructions. Harts earn it; each region costs some of it. */
export const M_CREDIT = MACHINE + 0x68;
/** What it costs to compile one instruction. */
export const COMPILE_PRICE = 10_000;
/**
 * The price of an average region. A hart pays it with the report, and the translator settles the difference.
 */
export const REGION_PRICE = 110 * COMPILE_PRICE;
/** The most that may be owed, and the most that is saved. */
export const MOST_DEBT = 13_000 * COMPILE_PRICE;

/** How often a hart has dropped compiled code, with its reset or to make room (u32). */
export const M_DROPS = MACHINE + 0x78;
/** How many stored regions are used (u32). */
export const M_STORED_REGIONS = MACHINE + 0x70;

/**
 * A word for each thread that serves devices (SERVER_*). A hart increments and notifies it when a virtio
 * queue or status needs that thread.
 */
export const M_DOORBELLS = MACHINE + 0x80;
export const SERVER_MACHINE = 0;
export const SERVER_FOLDERS = 1;

export const POWER_RUNNING = 0;
export const POWER_OFF = 1;
export const POWER_REBOOT = 2;
export const POWER_FAIL = 3;
/** The guest waits for a system call of HTIF, which no host serves. */
export const POWER_CALL = 4;

/** The core itself answers SBI calls, and harts start in S-mode. Without it, bare metal in M-mode. */
export const MODE_FIRMWARE = 1;
/** Time is the instruction count (1 tick = ICOUNT_PER_TICK instructions), for reproducible runs. */
export const MODE_ICOUNT = 2;
export const ICOUNT_PER_TICK = 16;
/** Harts report hot code to the translator. */
export const MODE_JIT = 4;
/** They report all code as soon as they reach it. */
export const MODE_JIT_ALL = 8;

// PLIC: 32 sources (0 unused), 2 contexts per hart (2n: M-mode, 2n+1: S-mode).
export const PLIC = MACHINE + 0x400;
/** Input lines, one bit per source, set and cleared by the devices. */
export const PLIC_LEVEL = PLIC + 0x00;
/** Sources that are claimed and not yet completed. */
export const PLIC_CLAIMED = PLIC + 0x04;
/** Priority of each source: 32 words. */
export const PLIC_PRIORITY = PLIC + 0x80;
/** Per context: enable mask, threshold (2 words each, PLIC_CONTEXT_STRIDE bytes apart). */
export const PLIC_CONTEXTS = PLIC + 0x100;
export const PLIC_CONTEXT_STRIDE = 8;
export const PLIC_SOURCES = 32;

// UART: the host fills the receive ring and wakes the harts; the guest drains it. The line is not in
// PLIC_LEVEL, because the core derives it from these words.
export const UART = MACHINE + 0x600;
/** Counts of all bytes written (host) and read (guest). The ring index is the count modulo the size. */
export const UART_RX_HEAD = UART + 0x00;
export const UART_RX_TAIL = UART + 0x04;
/** Registers IER, LCR, MCR, SCR, DLL, DLM, one word each, and whether THRE is pending. */
export const UART_IER = UART + 0x08;
export const UART_LCR = UART + 0x0c;
export const UART_MCR = UART + 0x10;
export const UART_SCR = UART + 0x14;
export const UART_DLL = UART + 0x18;
export const UART_DLM = UART + 0x1c;
export const UART_THRE_PENDING = UART + 0x20;
export const UART_FCR = UART + 0x24;
/** Sent bytes that the host has not received yet: count, lock of count and buffer, buffer. */
export const UART_TX_LENGTH = UART + 0x28;
export const UART_TX_LOCK = UART + 0x2c;
export const UART_TX_BUFFER = UART + 0x40;
export const UART_TX_SIZE = 0x80;
export const UART_RX_RING = UART + 0x100;
export const UART_RX_SIZE = 0x100;

// Goldfish RTC: ns added to the host's clock (u64), alarm (u64 ns), latched high word of the time,
// whether the alarm is armed, whether its interrupt is pending and enabled.
export const RTC = MACHINE + 0x800;
export const RTC_OFFSET = RTC + 0x00;
export const RTC_ALARM = RTC + 0x08;
export const RTC_TIME_HIGH = RTC + 0x10;
export const RTC_ARMED = RTC + 0x14;
export const RTC_PENDING = RTC + 0x18;
export const RTC_ENABLED = RTC + 0x1c;

// ACLINT: msip lives in each hart's mailbox, mtimecmp in each hart's block.

// virtio-mmio register files (virtio 1.2, section 4.2.2).
export const VIRTIO = MACHINE + 0x1000;
/** As many as there is room for before STORED_USES, with a PLIC source each. */
export const VIRTIO_SLOTS = 24;
export const VIRTIO_FILE_SIZE = 0x800;
export const V_DEVICE_ID = 0x00;
export const V_STATUS = 0x04;
export const V_INTERRUPT_STATUS = 0x08;
export const V_DEVICE_FEATURES = 0x10; // two words
export const V_DRIVER_FEATURES = 0x18; // two words
export const V_DEVICE_FEATURES_SEL = 0x20;
export const V_DRIVER_FEATURES_SEL = 0x24;
export const V_QUEUE_SEL = 0x28;
/** One bit per queue, set by the hart on QueueNotify and taken (exchanged with 0) by the device. */
export const V_NOTIFY = 0x2c;
export const V_CONFIG_GENERATION = 0x30;
/**
 * The hart that writes Status = 0 sets this to 1 and waits on it. The machine worker stops the device, sets
 * the word to 0 and notifies.
 */
export const V_RESET = 0x34;
/** The slot's PLIC source, written by the host before any hart starts. */
export const V_SOURCE = 0x38;
/** SERVER_*: the thread that serves the slot. One that takes over sets it, and then looks at the slot. */
export const V_SERVER = 0x3c;
export const V_QUEUES = 0x100;
export const V_QUEUE_STRIDE = 0x40;
export const V_MAX_QUEUES = 8;
export const V_CONFIG = 0x300;
export const V_CONFIG_SIZE = 0x100;
// Per queue. Each of the three addresses has two words, low then high.
export const Q_NUM_MAX = 0x00;
export const Q_NUM = 0x04;
export const Q_READY = 0x08;
export const Q_DESC = 0x10;
export const Q_DRIVER = 0x18;
export const Q_DEVICE = 0x20;

/** Whether each of the stored regions is used: a byte for each, which is 1 then. */
export const STORED_USES = MACHINE + 0xd000;
export const MOST_STORED = 8192;

// ---- Hart blocks --------------------------------------------------------------------------
export const HARTS = 0x2_0000;
/** The size of a hart's block, which holds all of the hart's data except guest RAM. */
export const HART_STRIDE = 0x3a0_0000;

/** x0…x31 (u64), then a sink that takes writes to x0, then f0…f31 (u64). */
export const H_X = 0x000;
export const H_SINK = 0x100;
export const H_F = 0x108;
export const H_PC = 0x208;
/** 0 U, 1 S, 3 M. */
export const H_PRIV = 0x210;
export const H_ID = 0x214;
/** Retired instructions (u64), up to date whenever the hart is outside the interpreter loop. */
export const H_INSTRET = 0x218;

// Mailbox: the words that other threads write.
/** Interrupt bits that other threads set, at their places in mip: SSIP, MSIP. */
export const H_IPI = 0x240;
/** Incremented and notified to end a sleep in WFI. */
export const H_WAKE = 0x244;
/** REQUEST_* bits of other harts' requests. The hart clears them when they are done and notifies. */
export const H_REQUEST = 0x248;
/** RUN_*: the current state of the hart. */
export const H_RUN = 0x24c;
/** The pc and a1 of HSM hart_start (u64 each). */
export const H_START_PC = 0x250;
export const H_START_A1 = 0x258;
/** Held by the hart that writes these two. */
export const H_START_LOCK = 0x260;

export const REQUEST_SFENCE = 1;
export const REQUEST_FENCE_I = 2;
/** Makes `run` return, because the hart's thread has messages. */
export const REQUEST_RETURN = 4;
/** Makes `run` return, and every later call of it, until the host clears the bit. */
export const REQUEST_PAUSE = 8;

export const RUN_STOPPED = 0;
export const RUN_START_PENDING = 1;
export const RUN_STARTED = 2;
/** Asleep in WFI. The hart checks its mailbox before it runs another instruction. */
export const RUN_SLEEPING = 3;
/** Outside `run`, because of REQUEST_PAUSE. It checks its mailbox in the same way. */
export const RUN_PAUSED = 4;

// CSRs (u64 each). sstatus, sie and sip are views of mstatus, mie and mip.
export const H_MSTATUS = 0x280;
export const H_MEDELEG = 0x288;
export const H_MIDELEG = 0x290;
export const H_MIE = 0x298;
/** Only the bits that software writes: software's SEIP, and STIP without Sstc. SSIP is in H_IPI. */
export const H_MIP = 0x2a0;
export const H_MTVEC = 0x2a8;
export const H_MSCRATCH = 0x2b0;
export const H_MEPC = 0x2b8;
export const H_MCAUSE = 0x2c0;
export const H_MTVAL = 0x2c8;
export const H_STVEC = 0x2d0;
export const H_SSCRATCH = 0x2d8;
export const H_SEPC = 0x2e0;
export const H_SCAUSE = 0x2e8;
export const H_STVAL = 0x2f0;
export const H_SATP = 0x2f8;
export const H_STIMECMP = 0x300;
export const H_MTIMECMP = 0x308;
export const H_MENVCFG = 0x310;
export const H_SENVCFG = 0x318;
export const H_MCOUNTEREN = 0x320;
export const H_SCOUNTEREN = 0x328;
export const H_MCOUNTINHIBIT = 0x330;
/** Added to H_INSTRET to give minstret and mcycle, which software may write. */
export const H_INSTRET_OFFSET = 0x338;
export const H_CYCLE_OFFSET = 0x340;
export const H_FFLAGS = 0x348; // u32
export const H_FRM = 0x34c; // u32
/** pmpcfg as 16 bytes, pmpaddr0…15 (u64). */
export const H_PMPCFG = 0x360;
export const H_PMPADDR = 0x380;
/** v0…v31, 128 bits each; vstart, vl, vtype (u64 each), vcsr (u32). */
export const H_V = 0x400;
export const H_VSTART = 0x600;
export const H_VL = 0x608;
export const H_VTYPE = 0x610;
export const H_VCSR = 0x618; // u32
/** The first free offset for private state of the core and of compiled code. */
export const H_PRIVATE = 0x620;
/** A word that fences write and nothing reads (u32). */
export const H_FENCE = 0x620;
/** The reservation: host address (u32, 0 for none), width (u32), and the loaded value (u64). */
export const H_RESERVED = 0x628;
export const RESERVED_WIDTH = 0x62c;
export const RESERVED_VALUE = 0x630;
/** The load TLB, with 16-byte entries at offset (va >>> 8) & TLB_MASK. The store TLB follows it. */
export const TLB_ENTRIES = 16384;
export const TLB_MASK = (TLB_ENTRIES - 1) * 16;
export const STORE_TLB = TLB_ENTRIES * 16;
/**
 * After them, the pages that compiled code accessed last, in entries of the same form: RECENT_PAGES for
 * stores, and as many for loads. The instruction's offset in its page selects the entry.
 */
export const RECENT_PAGES = 128;
export const RECENT_STORES = 2 * STORE_TLB;
export const RECENT_LOADS = RECENT_STORES + RECENT_PAGES * 16;

// The hart's reports of hot code: a ring with one writer and one reader. The counts of all written and read
// reports, then the slots.
export const H_HOT_HEAD = 0xb00;
export const H_HOT_TAIL = 0xb04;
export const H_HOT_SLOTS = 0xb10;
export const HOT_SLOTS = 16;
export const HOT_SLOT_SIZE = 32;
/** Physical address (u64) of the page, and the hash (u64) of its bytes. */
export const HOT_PAGE = 0;
export const HOT_HASH = 8;
/** Virtual address (u64) of the hot code. */
export const HOT_ADDRESS = 16;
/** The address of the page's record, and of the jump cache of the context in which it is hot. */
export const HOT_RECORD = 24;
export const HOT_JUMPS = 28;
/** Statistics (u64): the instructions that retired in compiled code. */
export const H_COMPILED = 0xd20;
/**
 * The reasons for leaving compiled code (u64 each): the budget was spent; the next code was not compiled, or
 * not in the jump cache; an instruction was left to the interpreter.
 */
export const H_EXITS = 0xd28;
export const EXIT_BUDGET = 0;
export const EXIT_NOT_COMPILED = 1;
export const EXIT_INTERPRET = 2;
export const EXIT_REASONS = 3;
/**
 * The address of the jump cache while compiled code runs. An entry has 16 bytes: a virtual address, its
 * micro-op, and, if that is COMPILED, the number of its region << REGION_SHIFT combined with the number of
 * the entry; otherwise 0.
 */
export const H_JUMPS = 0xd40;
/** The rest of the budget (i32) when compiled code is left. */
export const H_LEFT = 0xd44;
export const JUMP_REGION = 12;
export const REGION_SHIFT = 8;
export const JUMP_ENTRIES = 8192;
/**
 * An address has two places: the entry at offset ((va ^ (va >>> JUMP_HASH_SHIFT)) << 3) & JUMP_MASK, and that
 * at this offset ^ JUMP_OTHER.
 */
export const JUMP_HASH_SHIFT = 11;
export const JUMP_MASK = (JUMP_ENTRIES - 1) * 16;
export const JUMP_OTHER = 16;
/**
 * The page TLB for code follows the jump cache. An entry, at offset (va >>> 8) & PAGE_TLB_MASK, has 16 bytes:
 * the page's virtual address and the address of its record. It is valid only while nothing can have written
 * the page between the hart's last comparison and its last fence.i.
 */
export const PAGE_TLB = JUMP_ENTRIES * 16;
export const PAGE_TLB_ENTRIES = 2048;
export const PAGE_TLB_MASK = (PAGE_TLB_ENTRIES - 1) * 16;
/**
 * A page's record: its physical address (u64), the hash of its bytes (u64, 0 if it is not known), and a word
 * for each halfword, which is not 0 if the hart has ever jumped there.
 */
export const RECORD_PAGE = 0;
export const RECORD_HASH = 16;
export const RECORD_MAP = 0x1030;
/** For `install`: a region's entries in a page (u32), the offset and the number << ENTRY_NUMBER_SHIFT. */
export const ENTRY_NUMBER_SHIFT = 16;
export const H_ENTRIES = 0xe00;
export const MAX_ENTRIES = 96;

// The translator's copy of a page of code, and a micro-op for each halfword of it.
export const H_CODE_PAGE = 0xc_0000;
export const H_CODE_UOPS = 0xc_1000;

// ---- Page flags ---------------------------------------------------------------------------
/**
 * The page may have been written since code was last decoded from it. A writer outside the harts (device DMA)
 * sets it for every written page, after the write.
 */
export const PAGE_WRITTEN = 1;
/** A hart's store TLB may hold the page. */
export const PAGE_STORED = 2;
/**
 * The page may have been written since the machine was last saved. Only the host clears it, while all harts
 * are paused; they drop their store TLBs before they go on.
 */
export const PAGE_DIRTY = 4;
