import {
  PLIC_SOURCES,
  PLIC_START,
  RAM_START,
  RTC_IRQ,
  RTC_START,
  TIMEBASE,
  UART_IRQ,
  UART_START,
  VIRTIO_STRIDE,
} from '../../emulator-wasm/layout.ts';
import { slotAddress, slotSource } from './devices/virtio/slots.ts';
import { type FdtNode, writeFdt } from './fdt.ts';

// In the canonical order of the ISA manual, chapter "ISA Extension Naming Conventions".
const SINGLE_LETTER = ['i', 'm', 'a', 'f', 'd', 'c', 'v'];
const MULTI_LETTER = [
  ...['zicbom', 'zicboz', 'zicntr', 'zicond', 'zicsr', 'zifencei', 'zihintntl', 'zihintpause', 'zihpm'],
  ...[
    'zimop',
    'zawrs',
    'zfa',
    'zfhmin',
    'zca',
    'zcb',
    'zcd',
    'zcmop',
    'zba',
    'zbb',
    'zbs',
    'zvbb',
    'zvfhmin',
    'sstc',
    'svvptc',
  ],
];
const ISA = `rv64${SINGLE_LETTER.join('')}_${MULTI_LETTER.join('_')}`;

// Causes of the external interrupts in mip (privileged specification, section 3.1.9).
const M_EXTERNAL = 11;
const S_EXTERNAL = 9;

const CACHE_BLOCK = 64;

const UART_CLOCK = 3_686_400;

export interface MachineDescription {
  readonly harts: number;
  readonly ramSize: number;
  readonly commandLine: string;
  /** Guest physical range of the initial RAM disk, end exclusive. */
  readonly initrd?: { readonly start: number; readonly end: number } | undefined;
  readonly rngSeed: Uint8Array;
  /** Virtio slots that hold a device. */
  readonly virtioSlots: readonly number[];
}

/** The flattened device tree of the machine, as Linux in S-mode sees it. */
export function machineDeviceTree(machine: MachineDescription): Uint8Array<ArrayBuffer> {
  const { harts, ramSize, commandLine, initrd, rngSeed, virtioSlots } = machine;
  const plic = harts + 1;
  return writeFdt({
    properties: {
      '#address-cells': [2],
      '#size-cells': [2],
      compatible: 'linuxrun,virt',
      model: 'LinuxRun',
    },
    children: {
      chosen: {
        properties: {
          bootargs: commandLine,
          'rng-seed': rngSeed,
          ...(initrd && {
            'linux,initrd-start': u64(initrd.start),
            'linux,initrd-end': u64(initrd.end),
          }),
        },
      },
      cpus: {
        properties: { '#address-cells': [1], '#size-cells': [0], 'timebase-frequency': [TIMEBASE] },
        children: nodes(range(harts), (hart) => [`cpu@${hart}`, cpu(hart)]),
      },
      [at('memory', RAM_START)]: {
        properties: { device_type: 'memory', reg: region(RAM_START, ramSize) },
      },
      soc: {
        properties: {
          '#address-cells': [2],
          '#size-cells': [2],
          compatible: 'simple-bus',
          'interrupt-parent': [plic],
          ranges: true,
        },
        children: {
          [at('interrupt-controller', PLIC_START)]: {
            properties: {
              compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
              reg: region(PLIC_START, 0x60_0000),
              '#address-cells': [0],
              '#interrupt-cells': [1],
              'interrupt-controller': true,
              'interrupts-extended': range(harts).flatMap((hart) => [
                ...[interruptController(hart), M_EXTERNAL],
                ...[interruptController(hart), S_EXTERNAL],
              ]),
              'riscv,ndev': [PLIC_SOURCES - 1],
              phandle: [plic],
            },
          },
          [at('serial', UART_START)]: {
            properties: {
              compatible: 'ns16550a',
              reg: region(UART_START, 0x100),
              'clock-frequency': [UART_CLOCK],
              interrupts: [UART_IRQ],
            },
          },
          [at('rtc', RTC_START)]: {
            properties: {
              compatible: 'google,goldfish-rtc',
              reg: region(RTC_START, 0x1000),
              interrupts: [RTC_IRQ],
            },
          },
          ...nodes(virtioSlots, (slot) => [at('virtio_mmio', slotAddress(slot)), virtio(slot)]),
        },
      },
    },
  });
}

function cpu(hart: number): FdtNode {
  return {
    properties: {
      device_type: 'cpu',
      reg: [hart],
      status: 'okay',
      compatible: 'riscv',
      'riscv,isa-base': 'rv64i',
      'riscv,isa-extensions': [...SINGLE_LETTER, ...MULTI_LETTER],
      'riscv,isa': ISA,
      'riscv,cbom-block-size': [CACHE_BLOCK],
      'riscv,cboz-block-size': [CACHE_BLOCK],
      'mmu-type': 'riscv,sv39',
    },
    children: {
      'interrupt-controller': {
        properties: {
          compatible: 'riscv,cpu-intc',
          '#interrupt-cells': [1],
          'interrupt-controller': true,
          phandle: [interruptController(hart)],
        },
      },
    },
  };
}

function virtio(slot: number): FdtNode {
  return {
    properties: {
      compatible: 'virtio,mmio',
      reg: region(slotAddress(slot), VIRTIO_STRIDE),
      interrupts: [slotSource(slot)],
    },
  };
}

/** The phandle of a hart's own interrupt controller. */
function interruptController(hart: number): number {
  return hart + 1;
}

function at(name: string, address: number): string {
  return `${name}@${address.toString(16)}`;
}

function region(start: number, size: number): number[] {
  return [...u64(start), ...u64(size)];
}

function u64(value: number): number[] {
  return [Math.floor(value / 2 ** 32), value % 2 ** 32];
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function nodes(items: readonly number[], make: (item: number) => [string, FdtNode]): Record<string, FdtNode> {
  return Object.fromEntries(items.map(make));
}
