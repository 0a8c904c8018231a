/** The machine block and the hart blocks of a saved machine: what is kept, and which values it may have. */
import {
  H_CYCLE_OFFSET,
  H_F,
  H_FFLAGS,
  H_ID,
  H_INSTRET,
  H_INSTRET_OFFSET,
  H_IPI,
  H_MCAUSE,
  H_MCOUNTEREN,
  H_MCOUNTINHIBIT,
  H_MEDELEG,
  H_MENVCFG,
  H_MEPC,
  H_MIDELEG,
  H_MIE,
  H_MIP,
  H_MSCRATCH,
  H_MSTATUS,
  H_MTIMECMP,
  H_MTVAL,
  H_MTVEC,
  H_PC,
  H_PMPADDR,
  H_PMPCFG,
  H_PRIV,
  H_PRIVATE,
  H_RUN,
  H_SATP,
  H_SCAUSE,
  H_SCOUNTEREN,
  H_SENVCFG,
  H_SEPC,
  H_SSCRATCH,
  H_START_A1,
  H_START_PC,
  H_STIMECMP,
  H_STVAL,
  H_STVEC,
  H_X,
  M_MODE,
  M_TIME_OFFSET,
  M_TOHOST,
  MACHINE,
  MACHINE_SIZE,
  MAX_HARTS,
  MODE_FIRMWARE,
  PLIC_CLAIMED,
  PLIC_CONTEXT_STRIDE,
  PLIC_CONTEXTS,
  PLIC_LEVEL,
  PLIC_PRIORITY,
  PLIC_SOURCES,
  Q_DESC,
  Q_DEVICE,
  Q_DRIVER,
  Q_NUM,
  Q_READY,
  RAM_START,
  RTC_ALARM,
  RTC_ARMED,
  RTC_ENABLED,
  RTC_OFFSET,
  RTC_PENDING,
  RTC_TIME_HIGH,
  RUN_PAUSED,
  RUN_START_PENDING,
  RUN_STOPPED,
  UART_DLL,
  UART_DLM,
  UART_FCR,
  UART_IER,
  UART_LCR,
  UART_MCR,
  UART_RX_HEAD,
  UART_RX_RING,
  UART_RX_SIZE,
  UART_RX_TAIL,
  UART_SCR,
  UART_THRE_PENDING,
  V_CONFIG,
  V_CONFIG_GENERATION,
  V_CONFIG_SIZE,
  V_DEVICE_FEATURES_SEL,
  V_DRIVER_FEATURES,
  V_DRIVER_FEATURES_SEL,
  V_INTERRUPT_STATUS,
  V_MAX_QUEUES,
  V_NOTIFY,
  V_QUEUE_SEL,
  V_QUEUE_STRIDE,
  V_QUEUES,
  V_STATUS,
  VIRTIO,
  VIRTIO_FILE_SIZE,
} from '../../emulator-wasm/layout.ts';
import { slotSource } from './devices/virtio/slots.ts';
import { MachineError, StateError } from './errors.ts';
import { hartWord } from './hart-words.ts';
import { type MemoryPlan, planMemory } from './memory.ts';
import { type MachineState, StateReader } from './state.ts';

const ALL = 2n ** 64n - 1n;
const ALL_32 = 0xffff_ffffn;
const WORD = 8;

const MACHINE_MODE = 3;
/** WARL fields of mstatus (privileged specification, 3.1.6): those that software writes, and UXL and SXL. */
const MSTATUS = 0x7e_79aan;
const XL64 = 0xa_0000_0000n;
const MPP_SHIFT = 11n;
const SATP_MODE_SHIFT = 60n;
const BARE = 0n;
const SV39 = 8n;

/**
 * The bits of a block that a state holds, in words of 64 bits. All others are zero in the state, and remain
 * as they are in a new machine.
 */
type Form = BigUint64Array<ArrayBuffer>;

/** Sets the mask of `count` words of 64 bits. */
function mark(form: Form, at: number, mask: bigint, count = 1): void {
  form.fill(mask, at / WORD, at / WORD + count);
}

/** Sets the mask of a word of 32 bits. */
function mark32(form: Form, at: number, mask: bigint | number): void {
  const index = Math.floor(at / WORD);
  form[index] = (form[index] as bigint) | (BigInt(mask) << BigInt((at % WORD) * 8));
}

/** Registers, mailbox and CSRs of a paused hart. */
const HART_FORM = ((): Form => {
  const form = new BigUint64Array(H_PRIVATE / WORD);
  mark(form, H_X + WORD, ALL, 31);
  mark(form, H_F, ALL, 32);
  mark(form, H_PC, ALL - 1n);
  mark32(form, H_PRIV, MACHINE_MODE);
  mark(form, H_INSTRET, 2n ** 62n - 1n);
  mark32(form, H_IPI, 0xa);
  mark32(form, H_RUN, 7);
  mark(form, H_START_PC, ALL - 1n);
  mark(form, H_START_A1, ALL);
  mark(form, H_MSTATUS, MSTATUS | XL64);
  mark(form, H_MEDELEG, 0xb3ffn);
  mark(form, H_MIDELEG, 0x222n);
  mark(form, H_MIE, 0xaaan);
  mark(form, H_MIP, 0x220n);
  for (const vector of [H_MTVEC, H_STVEC]) mark(form, vector, ALL - 2n);
  for (const pc of [H_MEPC, H_SEPC]) mark(form, pc, ALL - 1n);
  for (const any of [H_MSCRATCH, H_MCAUSE, H_MTVAL, H_SSCRATCH, H_SCAUSE, H_STVAL]) mark(form, any, ALL);
  mark(form, H_SATP, ALL);
  for (const time of [H_STIMECMP, H_MTIMECMP]) mark(form, time, ALL);
  mark(form, H_MENVCFG, (2n ** 63n) | 1n);
  mark(form, H_SENVCFG, 1n);
  for (const enable of [H_MCOUNTEREN, H_SCOUNTEREN]) mark(form, enable, ALL_32);
  mark(form, H_MCOUNTINHIBIT, 5n);
  for (const offset of [H_INSTRET_OFFSET, H_CYCLE_OFFSET]) mark(form, offset, ALL);
  mark32(form, H_FFLAGS, 31);
  mark32(form, H_FFLAGS + 4, 7);
  mark(form, H_PMPCFG, 0x9f9f_9f9f_9f9f_9f9fn, 2);
  mark(form, H_PMPADDR, 0x3f_ffff_ffff_ffffn, 16);
  return form;
})();

/** @param slots the number of virtio devices */
function machineForm(harts: number, slots: number): Form {
  const form = new BigUint64Array(MACHINE_SIZE / WORD);
  const all = (address: number, count = 1) => mark(form, address - MACHINE, ALL, count);
  const bits = (address: number, mask: bigint | number) => mark32(form, address - MACHINE, mask);
  bits(M_MODE, MODE_FIRMWARE);
  all(M_TOHOST);
  all(M_TIME_OFFSET);
  bits(PLIC_CLAIMED, ALL_32 - 1n);
  for (let source = 1; source < PLIC_SOURCES; source++) bits(PLIC_PRIORITY + 4 * source, 7);
  for (let context = 0; context < 2 * harts; context++) {
    bits(PLIC_CONTEXTS + context * PLIC_CONTEXT_STRIDE, ALL_32 - 1n);
    bits(PLIC_CONTEXTS + context * PLIC_CONTEXT_STRIDE + 4, 7);
  }
  for (const count of [UART_RX_HEAD, UART_RX_TAIL]) bits(count, ALL_32);
  for (const register of [UART_LCR, UART_SCR, UART_DLL, UART_DLM]) bits(register, 0xff);
  bits(UART_IER, 0x0f);
  bits(UART_MCR, 0x1f);
  for (const flag of [UART_THRE_PENDING, UART_FCR]) bits(flag, 1);
  all(UART_RX_RING, UART_RX_SIZE / WORD);
  for (const time of [RTC_OFFSET, RTC_ALARM]) all(time);
  bits(RTC_TIME_HIGH, ALL_32);
  for (const flag of [RTC_ARMED, RTC_PENDING, RTC_ENABLED]) bits(flag, 1);
  for (let slot = 0; slot < slots; slot++) markRegisterFile(form, VIRTIO + slot * VIRTIO_FILE_SIZE - MACHINE);
  return form;
}

/** What a driver writes, and the device's answers. The device checks what it uses of it when it resumes. */
function markRegisterFile(form: Form, file: number): void {
  mark32(form, file + V_STATUS, 0xff);
  mark32(form, file + V_INTERRUPT_STATUS, 3);
  mark(form, file + V_DRIVER_FEATURES, ALL);
  for (const register of [V_DEVICE_FEATURES_SEL, V_DRIVER_FEATURES_SEL, V_QUEUE_SEL, V_CONFIG_GENERATION])
    mark32(form, file + register, ALL_32);
  mark32(form, file + V_NOTIFY, 2 ** V_MAX_QUEUES - 1);
  for (let index = 0; index < V_MAX_QUEUES; index++) {
    const queue = file + V_QUEUES + index * V_QUEUE_STRIDE;
    mark32(form, queue + Q_NUM, 0xffff);
    mark32(form, queue + Q_READY, 1);
    for (const address of [Q_DESC, Q_DRIVER, Q_DEVICE]) mark(form, queue + address, ALL);
  }
  mark(form, file + V_CONFIG, ALL, V_CONFIG_SIZE / WORD);
}

/** The words of a block in the shared memory. */
function wordsAt(memory: WebAssembly.Memory, address: number, form: Form): BigUint64Array {
  return new BigUint64Array(memory.buffer, address, form.length);
}

function take(memory: WebAssembly.Memory, address: number, form: Form): Uint8Array<ArrayBuffer> {
  const kept = wordsAt(memory, address, form).map((word, index) => word & (form[index] as bigint));
  return new Uint8Array(kept.buffer as ArrayBuffer);
}

/** @throws StateError unless the bytes are a block of that form */
function parse(bytes: unknown, form: Form, name: string): BigUint64Array {
  if (!(bytes instanceof Uint8Array) || bytes.length !== form.byteLength)
    throw new StateError(`${name} is not ${form.byteLength} bytes`);
  const words = new BigUint64Array(bytes.slice().buffer);
  const wrong = words.findIndex((word, index) => (word & ~(form[index] as bigint)) !== 0n);
  if (wrong >= 0) throw new StateError(`${name} has an impossible value at ${wrong * WORD}`);
  return words;
}

function put(memory: WebAssembly.Memory, address: number, form: Form, words: BigUint64Array): void {
  const block = wordsAt(memory, address, form);
  for (const [index, mask] of form.entries()) {
    if (mask !== 0n) block[index] = ((block[index] as bigint) & ~mask) | (words[index] as bigint);
  }
}

/**
 * The blocks of a machine whose harts are all paused, and whose time stands still.
 * @param slots the number of virtio devices
 */
export function saveBlocks(
  memory: WebAssembly.Memory,
  harts: number,
  slots: number,
): Pick<MachineState, 'machineBlock' | 'hartBlocks'> {
  const machineBlock = take(memory, MACHINE, machineForm(harts, slots));
  const hartBlocks = Array.from({ length: harts }, (_, hart) => take(memory, hartWord(hart, 0), HART_FORM));
  return { machineBlock, hartBlocks };
}

/**
 * Fills in the blocks of a new machine, before its harts start. Its time stands still.
 * @throws StateError when no machine can have been in that state
 */
export function restoreBlocks(
  memory: WebAssembly.Memory,
  plan: MemoryPlan,
  slots: number,
  state: MachineState,
): void {
  const form = machineForm(plan.harts, slots);
  const machine = parse(state.machineBlock, form, 'the machine block');
  const view = new DataView(machine.buffer);
  checkMachine(view, plan);
  if (!Array.isArray(state.hartBlocks) || state.hartBlocks.length !== plan.harts)
    throw new StateError(`it does not have ${plan.harts} CPUs`);
  const harts = state.hartBlocks.map((block: unknown, hart) => {
    const words = parse(block, HART_FORM, `CPU ${hart}`);
    checkHart(new DataView(words.buffer), hart, hasFirmware(view));
    return words;
  });
  put(memory, MACHINE, form, machine);
  settleLines(memory, slots);
  for (const [hart, words] of harts.entries()) {
    put(memory, hartWord(hart, 0), HART_FORM, words);
    new DataView(memory.buffer).setUint32(hartWord(hart, H_ID), hart, true);
  }
}

/** Where everything lies in a machine of the same size. @throws StateError when there is none of that size */
export function savedPlan({ harts, ramBytes }: MachineState): MemoryPlan {
  try {
    return planMemory(
      new StateReader(harts, 'its number of CPUs').integer(1, MAX_HARTS),
      new StateReader(ramBytes, 'its memory').integer(0, 2 ** 32),
    );
  } catch (error) {
    if (error instanceof StateError || !(error instanceof MachineError)) throw error;
    throw new StateError(error.message);
  }
}

/** Whether the saved machine's core was its firmware. @throws StateError */
export function savedFirmware({ machineBlock }: MachineState): boolean {
  if (!(machineBlock instanceof Uint8Array) || machineBlock.length !== MACHINE_SIZE)
    throw new StateError(`the machine block is not ${MACHINE_SIZE} bytes`);
  return hasFirmware(new DataView(machineBlock.buffer, machineBlock.byteOffset));
}

function hasFirmware(machineBlock: DataView): boolean {
  return (machineBlock.getUint32(M_MODE - MACHINE, true) & MODE_FIRMWARE) !== 0;
}

function checkMachine(block: DataView, { ramSize }: MemoryPlan): void {
  const tohost = block.getBigUint64(M_TOHOST - MACHINE, true);
  const last = BigInt(RAM_START + ramSize - WORD);
  if (tohost !== 0n && (tohost < BigInt(RAM_START) || tohost > last))
    throw new StateError('its tohost is not in RAM');
  const count = (address: number) => block.getUint32(address - MACHINE, true);
  if ((count(UART_RX_HEAD) - count(UART_RX_TAIL)) >>> 0 > UART_RX_SIZE)
    throw new StateError('its UART has received more than it holds');
}

function checkHart(block: DataView, hart: number, firmware: boolean): void {
  const wrong = (name: string) => new StateError(`CPU ${hart} has an impossible ${name}`);
  const privilege = block.getUint32(H_PRIV, true);
  if (privilege === 2 || (firmware && privilege === MACHINE_MODE)) throw wrong('privilege');
  if (![RUN_STOPPED, RUN_START_PENDING, RUN_PAUSED].includes(block.getUint32(H_RUN, true)))
    throw wrong('state');
  const status = block.getBigUint64(H_MSTATUS, true);
  if ((status & XL64) !== XL64 || ((status >> MPP_SHIFT) & 3n) === 2n) throw wrong('mstatus');
  const satp = block.getBigUint64(H_SATP, true);
  const mode = satp >> SATP_MODE_SHIFT;
  if (mode === BARE ? satp !== 0n : mode !== SV39) throw wrong('satp');
  for (let entry = 0; entry < 16; entry++) {
    // W without R is reserved (privileged specification, 3.7.1).
    if ((block.getUint8(H_PMPCFG + entry) & 3) === 2) throw wrong('pmpcfg');
  }
}

/** An interrupt line follows from its device's interrupt status. */
function settleLines(memory: WebAssembly.Memory, slots: number): void {
  const view = new DataView(memory.buffer);
  let level = 0;
  for (let slot = 0; slot < slots; slot++) {
    const status = view.getUint32(VIRTIO + slot * VIRTIO_FILE_SIZE + V_INTERRUPT_STATUS, true);
    if (status !== 0) level |= 1 << slotSource(slot);
  }
  view.setInt32(PLIC_LEVEL, level, true);
}
