/** The machine block and the hart blocks of a saved machine: what is kept, and which values it may have. */
import {
  H_CYCLE_OFFSET,
  H_F,
  H_FFLAGS,
  H_FRM,
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
  H_V,
  H_VCSR,
  H_VL,
  H_VSTART,
  H_VTYPE,
  H_X,
  M_MODE,
  M_TIME_OFFSET,
  M_TOHOST,
  MACHINE,
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

const ALL = 0xffff_ffff;
const WORD = 4;
const DOUBLE = 8;

const PMP_ENTRIES = 16;
const MACHINE_MODE = 3;
/** WARL fields of mstatus (privileged specification, 3.1.6): those that software writes, and UXL and SXL. */
const MSTATUS = 0x7e_7faa;
const XL64 = 0xa;
/** FIOM, CBIE, CBCFE and CBZE of menvcfg and senvcfg (3.1.18). */
const ENVIRONMENT = 0xf1;
const MPP_SHIFT = 11;
/** v0 to v31, in words of 64 bits. */
const VECTOR_WORDS = 64;
/** In the upper word of vtype, vill. */
const ILL = 2 ** 31;
/** In the upper word of satp. */
const SATP_MODE_SHIFT = 28;
const BARE = 0;
const SV39 = 8;

/**
 * The bits of a block that a state holds, in words of 32 bits. All others are zero in the state, and remain
 * as they are in a new machine.
 */
type Form = Uint32Array<ArrayBuffer>;

/** Marks bits of a word. */
function mark(form: Form, at: number, bits: number): void {
  form[at / WORD] = bits;
}

/** Marks bits of a word of 64 bits. */
function markDouble(form: Form, at: number, low: number, high = 0): void {
  mark(form, at, low);
  mark(form, at + WORD, high);
}

/** Marks all bits of `count` words of 64 bits. */
function markAll(form: Form, at: number, count = 1): void {
  form.fill(ALL, at / WORD, (at + count * DOUBLE) / WORD);
}

/** Registers, mailbox and CSRs of a paused hart. */
function hartForm(): Form {
  const form = new Uint32Array(H_PRIVATE / WORD);
  markAll(form, H_X + DOUBLE, 31);
  markAll(form, H_F, 32);
  for (const pc of [H_PC, H_START_PC, H_MEPC, H_SEPC]) markDouble(form, pc, ALL - 1, ALL);
  mark(form, H_PRIV, MACHINE_MODE);
  markDouble(form, H_INSTRET, ALL, 2 ** 30 - 1);
  mark(form, H_IPI, 0xa);
  mark(form, H_RUN, 7);
  markDouble(form, H_MSTATUS, MSTATUS, XL64);
  mark(form, H_MEDELEG, 0xb3ff);
  mark(form, H_MIDELEG, 0x222);
  mark(form, H_MIE, 0xaaa);
  mark(form, H_MIP, 0x220);
  for (const vector of [H_MTVEC, H_STVEC]) markDouble(form, vector, ALL - 2, ALL);
  for (const any of [H_MSCRATCH, H_MCAUSE, H_MTVAL, H_SSCRATCH, H_SCAUSE, H_STVAL]) markAll(form, any);
  for (const any of [H_START_A1, H_SATP, H_STIMECMP, H_MTIMECMP]) markAll(form, any);
  markDouble(form, H_MENVCFG, ENVIRONMENT, 2 ** 31);
  mark(form, H_SENVCFG, ENVIRONMENT);
  for (const enable of [H_MCOUNTEREN, H_SCOUNTEREN]) mark(form, enable, ALL);
  mark(form, H_MCOUNTINHIBIT, 5);
  for (const offset of [H_INSTRET_OFFSET, H_CYCLE_OFFSET]) markAll(form, offset);
  markAll(form, H_V, VECTOR_WORDS);
  mark(form, H_VSTART, 0x7f);
  mark(form, H_VL, 0xff);
  markDouble(form, H_VTYPE, 0xff, ILL);
  mark(form, H_VCSR, 7);
  mark(form, H_FFLAGS, 31);
  mark(form, H_FRM, 7);
  for (let word = 0; word < PMP_ENTRIES / WORD; word++) mark(form, H_PMPCFG + WORD * word, 0x9f9f_9f9f);
  for (let entry = 0; entry < PMP_ENTRIES; entry++)
    markDouble(form, H_PMPADDR + DOUBLE * entry, ALL, 0x3f_ffff);
  return form;
}

/** The machine block up to the last virtio slot that has a device. */
function machineForm(harts: number, slots: number): Form {
  const form = new Uint32Array((slotFile(slots) - MACHINE) / WORD);
  const all = (address: number, count = 1) => markAll(form, address - MACHINE, count);
  const bits = (address: number, mask: number) => mark(form, address - MACHINE, mask);
  bits(M_MODE, MODE_FIRMWARE);
  all(M_TOHOST);
  all(M_TIME_OFFSET);
  bits(PLIC_CLAIMED, ALL - 1);
  for (let source = 1; source < PLIC_SOURCES; source++) bits(PLIC_PRIORITY + WORD * source, 7);
  for (let context = 0; context < 2 * harts; context++) {
    bits(PLIC_CONTEXTS + context * PLIC_CONTEXT_STRIDE, ALL - 1);
    bits(PLIC_CONTEXTS + context * PLIC_CONTEXT_STRIDE + WORD, 7);
  }
  for (const count of [UART_RX_HEAD, UART_RX_TAIL]) bits(count, ALL);
  for (const register of [UART_LCR, UART_SCR, UART_DLL, UART_DLM]) bits(register, 0xff);
  bits(UART_IER, 0x0f);
  bits(UART_MCR, 0x1f);
  for (const flag of [UART_THRE_PENDING, UART_FCR]) bits(flag, 1);
  all(UART_RX_RING, UART_RX_SIZE / DOUBLE);
  for (const time of [RTC_OFFSET, RTC_ALARM]) all(time);
  bits(RTC_TIME_HIGH, ALL);
  for (const flag of [RTC_ARMED, RTC_PENDING, RTC_ENABLED]) bits(flag, 1);
  for (let slot = 0; slot < slots; slot++) markRegisterFile(form, slotFile(slot) - MACHINE);
  return form;
}

/** What a driver writes, and the device's answers. The device checks what it uses of it when it resumes. */
function markRegisterFile(form: Form, file: number): void {
  mark(form, file + V_STATUS, 0xff);
  mark(form, file + V_INTERRUPT_STATUS, 3);
  markAll(form, file + V_DRIVER_FEATURES);
  for (const register of [V_DEVICE_FEATURES_SEL, V_DRIVER_FEATURES_SEL, V_QUEUE_SEL, V_CONFIG_GENERATION])
    mark(form, file + register, ALL);
  mark(form, file + V_NOTIFY, 2 ** V_MAX_QUEUES - 1);
  for (let index = 0; index < V_MAX_QUEUES; index++) {
    const queue = file + V_QUEUES + index * V_QUEUE_STRIDE;
    mark(form, queue + Q_NUM, 0xffff);
    mark(form, queue + Q_READY, 1);
    for (const address of [Q_DESC, Q_DRIVER, Q_DEVICE]) markAll(form, queue + address);
  }
  markAll(form, file + V_CONFIG, V_CONFIG_SIZE / DOUBLE);
}

/** The address of a virtio slot's register file. */
function slotFile(slot: number): number {
  return VIRTIO + slot * VIRTIO_FILE_SIZE;
}

// Plain loops: a page waits for a machine to start, and iterators are slow before they are compiled.

function take(memory: WebAssembly.Memory, address: number, form: Form): Uint8Array<ArrayBuffer> {
  const block = new Uint32Array(memory.buffer, address, form.length);
  const kept = new Uint32Array(form.length);
  for (let index = 0; index < form.length; index++)
    kept[index] = (block[index] as number) & (form[index] as number);
  return new Uint8Array(kept.buffer);
}

/** @throws StateError unless the bytes are a block of that form */
function parse(bytes: unknown, form: Form, name: string): Uint32Array<ArrayBuffer> {
  if (!(bytes instanceof Uint8Array) || bytes.length !== form.byteLength)
    throw new StateError(`${name} is not ${form.byteLength} bytes`);
  const words = new Uint32Array(new Uint8Array(bytes).buffer);
  for (let index = 0; index < form.length; index++) {
    if ((words[index] as number) & ~(form[index] as number))
      throw new StateError(`${name} has an impossible value at ${index * WORD}`);
  }
  return words;
}

function put(memory: WebAssembly.Memory, address: number, form: Form, words: Uint32Array): void {
  const block = new Uint32Array(memory.buffer, address, form.length);
  for (let index = 0; index < form.length; index++) {
    const mask = form[index] as number;
    if (mask !== 0) block[index] = ((block[index] as number) & ~mask) | (words[index] as number);
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
  const form = hartForm();
  const hartBlocks = Array.from({ length: harts }, (_, hart) => take(memory, hartWord(hart, 0), form));
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
  const formOfHart = hartForm();
  const harts = state.hartBlocks.map((block: unknown, hart) => {
    const words = parse(block, formOfHart, `CPU ${hart}`);
    checkHart(new DataView(words.buffer), hart, hasFirmware(view));
    return words;
  });
  put(memory, MACHINE, form, machine);
  settleLines(memory, slots);
  for (const [hart, words] of harts.entries()) {
    put(memory, hartWord(hart, 0), formOfHart, words);
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
  if (!(machineBlock instanceof Uint8Array) || machineBlock.length < VIRTIO - MACHINE)
    throw new StateError('the machine block is too short');
  return hasFirmware(new DataView(machineBlock.buffer, machineBlock.byteOffset));
}

function hasFirmware(machineBlock: DataView): boolean {
  return (machineBlock.getUint32(M_MODE - MACHINE, true) & MODE_FIRMWARE) !== 0;
}

function checkMachine(block: DataView, { ramSize }: MemoryPlan): void {
  const tohost = block.getBigUint64(M_TOHOST - MACHINE, true);
  const last = BigInt(RAM_START + ramSize - DOUBLE);
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
  const mpp = (block.getUint32(H_MSTATUS, true) >>> MPP_SHIFT) & 3;
  if (block.getUint32(H_MSTATUS + WORD, true) !== XL64 || mpp === 2) throw wrong('mstatus');
  const mode = block.getUint32(H_SATP + WORD, true) >>> SATP_MODE_SHIFT;
  const isBare = mode === BARE && block.getBigUint64(H_SATP, true) === 0n;
  if (!isBare && mode !== SV39) throw wrong('satp');
  const vtype = block.getUint32(H_VTYPE, true);
  const ill = block.getUint32(H_VTYPE + WORD, true) === ILL;
  const longest = longestVector(vtype);
  if (ill ? vtype !== 0 : longest === 0) throw wrong('vtype');
  if (block.getUint32(H_VL, true) > (ill ? 0 : longest)) throw wrong('vl');
  for (let entry = 0; entry < PMP_ENTRIES; entry++) {
    // W without R is reserved (privileged specification, 3.7.1).
    if ((block.getUint8(H_PMPCFG + entry) & 3) === 2) throw wrong('pmpcfg');
  }
}

/** An interrupt line follows from its device's interrupt status. */
function settleLines(memory: WebAssembly.Memory, slots: number): void {
  const view = new DataView(memory.buffer);
  let level = 0;
  for (let slot = 0; slot < slots; slot++) {
    const status = view.getUint32(slotFile(slot) + V_INTERRUPT_STATUS, true);
    if (status !== 0) level |= 1 << slotSource(slot);
  }
  view.setInt32(PLIC_LEVEL, level, true);
}

/** The number of elements in a group with this vtype (V 1.0, 3.4); 0 if the vtype is reserved. */
function longestVector(vtype: number): number {
  const sew = (vtype >> 3) & 7;
  const lmul = (vtype << 29) >> 29;
  return sew > 3 || lmul === -4 ? 0 : Math.floor((VLEN * 2 ** lmul) / (8 << sew));
}

const VLEN = 128;
