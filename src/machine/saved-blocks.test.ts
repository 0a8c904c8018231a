import { describe, expect, test } from 'vitest';
import * as layout from '../../emulator-wasm/layout.ts';
import { StateError } from './errors.ts';
import { hartWord } from './hart-words.ts';
import { createMemory, planMemory } from './memory.ts';
import { restoreBlocks, saveBlocks, savedFirmware, savedPlan } from './saved-blocks.ts';
import type { MachineState } from './state.ts';

const HARTS = 2;
const SLOTS = 3;
const RAM = 32 << 20;
const plan = planMemory(HARTS, RAM);
const MSTATUS = 0xa_0000_0000n;

/** A memory whose harts are paused. */
function paused(mode = layout.MODE_FIRMWARE): { memory: WebAssembly.Memory; view: DataView } {
  const memory = createMemory(plan, mode);
  const view = new DataView(memory.buffer);
  for (let hart = 0; hart < HARTS; hart++) {
    view.setUint32(hartWord(hart, layout.H_RUN), layout.RUN_PAUSED, true);
    view.setBigUint64(hartWord(hart, layout.H_MSTATUS), MSTATUS, true);
  }
  return { memory, view };
}

function stateOf(memory: WebAssembly.Memory): MachineState {
  const blocks = saveBlocks(memory, HARTS, SLOTS);
  return { harts: HARTS, ramBytes: RAM, ...blocks, devices: [], agent: null, owner: null };
}

/** Changes the second hart's block, or the machine block, of a valid state. */
function changed(change: (hart: DataView, machine: DataView) => void, mode?: number): MachineState {
  const state = stateOf(paused(mode).memory);
  const viewOf = ({ buffer }: Uint8Array) => new DataView(buffer);
  change(viewOf(state.hartBlocks[1] as Uint8Array), viewOf(state.machineBlock));
  return state;
}

function restore(state: MachineState, mode = layout.MODE_FIRMWARE): DataView {
  const memory = createMemory(plan, mode);
  restoreBlocks(memory, plan, SLOTS, state);
  return new DataView(memory.buffer);
}

const slot = (index: number) => layout.VIRTIO + index * layout.VIRTIO_FILE_SIZE;

test('what a machine keeps is in the blocks of the next one', () => {
  const { memory, view } = paused();
  const words = [
    [hartWord(1, layout.H_X + 8 * 31), 0x0123_4567_89ab_cdefn],
    [hartWord(1, layout.H_F), 2n ** 64n - 1n],
    [hartWord(1, layout.H_PC), 0x8020_0002n],
    [hartWord(1, layout.H_SATP), (8n << 60n) | 0x8_1234n],
    [hartWord(1, layout.H_STIMECMP), 77n],
    [hartWord(1, layout.H_FFLAGS), (5n << 32n) | 31n],
    [layout.M_TIME_OFFSET, 1234n],
    [layout.RTC_ALARM, 99n],
    [layout.UART_RX_RING + 8, 0x6867_6665_6463_6261n],
    [slot(2) + layout.V_QUEUES + layout.Q_DESC, 0x8765_4000n],
  ] as const;
  for (const [address, value] of words) view.setBigUint64(address, value, true);
  const restored = restore(stateOf(memory));
  for (const [address, value] of words) expect(restored.getBigUint64(address, true)).toBe(value);
  expect(restored.getUint32(hartWord(1, layout.H_ID), true)).toBe(1);
});

test('nothing else is kept', () => {
  const { memory, view } = paused();
  const words = [
    ...[layout.M_POWER, layout.M_DOORBELLS, layout.M_HOT, layout.UART_TX_LOCK, slot(0) + layout.V_RESET],
    ...[layout.H_X, layout.H_WAKE, layout.H_REQUEST, layout.H_START_LOCK].map((word) => hartWord(1, word)),
    slot(SLOTS) + layout.V_STATUS,
  ];
  for (const address of words) view.setUint32(address, 1, true);
  const restored = restore(stateOf(memory));
  for (const address of words) expect(restored.getUint32(address, true)).toBe(0);
});

test('interrupt lines follow from what the devices have signalled', () => {
  const { memory, view } = paused();
  view.setUint32(slot(1) + layout.V_INTERRUPT_STATUS, 1, true);
  view.setInt32(layout.PLIC_LEVEL, -1, true);
  expect(restore(stateOf(memory)).getInt32(layout.PLIC_LEVEL, true)).toBe(1 << (layout.VIRTIO_SOURCE + 1));
});

test('a new machine keeps its own mode, except the firmware', () => {
  const state = stateOf(paused().memory);
  expect(savedFirmware(state)).toBe(true);
  const mode = layout.MODE_FIRMWARE | layout.MODE_JIT;
  expect(restore(state, mode).getUint32(layout.M_MODE, true)).toBe(mode);
  expect(savedPlan(state)).toEqual(plan);
});

describe('a state is refused', () => {
  const { H_MSTATUS, H_PC, H_PRIV, H_RUN, H_SATP, H_PMPCFG, MACHINE } = layout;
  test.each<[string, (hart: DataView, machine: DataView) => void]>([
    ['an odd pc', (hart) => hart.setUint8(H_PC, 1)],
    ['an odd sepc', (hart) => hart.setUint8(layout.H_SEPC, 1)],
    ['an odd address to start at', (hart) => hart.setUint8(layout.H_START_PC, 1)],
    ['a value in x0', (hart) => hart.setUint8(layout.H_X, 1)],
    ['privilege 2', (hart) => hart.setUint32(H_PRIV, 2, true)],
    ['M-mode under our firmware', (hart) => hart.setUint32(H_PRIV, 3, true)],
    ['another number of the hart', (hart) => hart.setUint32(layout.H_ID, 7, true)],
    ['a hart that runs', (hart) => hart.setUint32(H_RUN, layout.RUN_STARTED, true)],
    ['a hart in no known state', (hart) => hart.setUint32(H_RUN, 7, true)],
    ['an XLEN of 32', (hart) => hart.setBigUint64(H_MSTATUS, 0n, true)],
    ['MPP 2', (hart) => hart.setBigUint64(H_MSTATUS, MSTATUS | (2n << 11n), true)],
    ['an impossible vector type', (hart) => hart.setBigUint64(layout.H_VTYPE, 4n, true)],
    ['more elements than the vectors have', (hart) => hart.setUint32(layout.H_VL, 17, true)],
    [
      'elements without a vector type',
      (hart) => {
        hart.setBigUint64(layout.H_VTYPE, 1n << 63n, true);
        hart.setUint32(layout.H_VL, 1, true);
      },
    ],
    ['Sv48', (hart) => hart.setBigUint64(H_SATP, 9n << 60n, true)],
    ['a page table without a mode', (hart) => hart.setBigUint64(H_SATP, 1n, true)],
    ['a PMP entry that allows writing only', (hart) => hart.setUint8(H_PMPCFG + 3, 2)],
    ['a held lock of the mailbox', (hart) => hart.setUint32(layout.H_START_LOCK, 1, true)],
    ['a held lock of the UART', (_, block) => block.setUint32(layout.UART_TX_LOCK - MACHINE, 1, true)],
    ['a power that is off', (_, block) => block.setUint32(layout.M_POWER - MACHINE, 1, true)],
    ['another place of RAM', (_, block) => block.setUint32(layout.M_RAM_BASE - MACHINE, 4, true)],
    ['an unknown priority', (_, block) => block.setUint32(layout.PLIC_PRIORITY + 4 - MACHINE, 8, true)],
    ['too much input', (_, block) => block.setUint32(layout.UART_RX_HEAD - MACHINE, 257, true)],
    ['a waiting reset', (_, block) => block.setUint32(slot(0) + layout.V_RESET - MACHINE, 1, true)],
    ['tohost after RAM', (_, block) => block.setBigUint64(layout.M_TOHOST - MACHINE, 0x8200_0000n, true)],
  ])('with %s', (_, change) => {
    expect(() => restore(changed(change))).toThrow(StateError);
  });

  test('unless it is only unusual', () => {
    restore(
      changed((hart) => hart.setUint32(H_PRIV, 3, true), 0),
      0,
    );
    restore(changed((hart) => hart.setUint32(H_RUN, layout.RUN_STOPPED, true)));
    restore(changed((hart) => hart.setBigUint64(H_SATP, (8n << 60n) | (2n ** 60n - 1n), true)));
    restore(changed((_, block) => block.setUint32(layout.UART_RX_HEAD - MACHINE, 256, true)));
  });

  test.each<[string, Partial<Record<keyof MachineState, unknown>>]>([
    ['no blocks', { hartBlocks: [] }],
    ['too many blocks', { hartBlocks: [1, 2, 3].map(() => new Uint8Array(layout.H_PRIVATE)) }],
    ['a block of another size', { machineBlock: new Uint8Array(12) }],
    ['text in place of a block', { machineBlock: 'x'.repeat(slot(SLOTS) - layout.MACHINE) }],
    ['the registers of another device', { machineBlock: new Uint8Array(slot(SLOTS + 1) - layout.MACHINE) }],
    ['no CPU', { harts: 0 }],
    ['too many CPUs', { harts: layout.MAX_HARTS + 1 }],
    ['text in place of a number', { harts: '2' }],
    ['half a CPU', { harts: 1.5 }],
    ['too much RAM', { ramBytes: 2 ** 33 }],
    ['half a page of RAM', { ramBytes: RAM + 2048 }],
  ])('with %s', (_, change) => {
    const state = { ...stateOf(paused().memory), ...change } as MachineState;
    expect(() => {
      savedFirmware(state);
      savedPlan(state);
      restore(state);
    }).toThrow(StateError);
  });
});
