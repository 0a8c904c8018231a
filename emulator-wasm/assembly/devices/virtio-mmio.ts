/** The virtio-mmio register files, modern interface only (virtio 1.2, section 4.2.2). */
import {
  M_DOORBELLS,
  M_POWER,
  POWER_RUNNING,
  Q_DESC,
  Q_DEVICE,
  Q_DRIVER,
  Q_NUM,
  Q_NUM_MAX,
  Q_READY,
  V_CONFIG,
  V_CONFIG_GENERATION,
  V_DEVICE_FEATURES,
  V_DEVICE_FEATURES_SEL,
  V_DEVICE_ID,
  V_DRIVER_FEATURES,
  V_DRIVER_FEATURES_SEL,
  V_INTERRUPT_STATUS,
  V_MAX_QUEUES,
  V_NOTIFY,
  V_QUEUE_SEL,
  V_QUEUE_STRIDE,
  V_QUEUES,
  V_RESET,
  V_SERVER,
  V_SOURCE,
  V_STATUS,
  VIRTIO,
  VIRTIO_FILE_SIZE,
} from '../../layout';
import * as host from '../host';
import { sleepWhile } from '../mailbox';
import { plicLower, plicRaise } from './plic';

const MAGIC_VALUE: u32 = 0x000;
const VERSION: u32 = 0x004;
const DEVICE_ID: u32 = 0x008;
const VENDOR_ID: u32 = 0x00c;
const DEVICE_FEATURES: u32 = 0x010;
const DEVICE_FEATURES_SEL: u32 = 0x014;
const DRIVER_FEATURES: u32 = 0x020;
const DRIVER_FEATURES_SEL: u32 = 0x024;
const QUEUE_SEL: u32 = 0x030;
const QUEUE_NUM_MAX: u32 = 0x034;
const QUEUE_NUM: u32 = 0x038;
const QUEUE_READY: u32 = 0x044;
const QUEUE_NOTIFY: u32 = 0x050;
const INTERRUPT_STATUS: u32 = 0x060;
const INTERRUPT_ACK: u32 = 0x064;
const STATUS: u32 = 0x070;
const QUEUE_DESC_LOW: u32 = 0x080;
const QUEUE_DESC_HIGH: u32 = 0x084;
const QUEUE_DRIVER_LOW: u32 = 0x090;
const QUEUE_DRIVER_HIGH: u32 = 0x094;
const QUEUE_DEVICE_LOW: u32 = 0x0a0;
const QUEUE_DEVICE_HIGH: u32 = 0x0a4;
const SHM_LEN_LOW: u32 = 0x0b0;
const SHM_LEN_HIGH: u32 = 0x0b4;
const SHM_BASE_LOW: u32 = 0x0b8;
const SHM_BASE_HIGH: u32 = 0x0bc;
const CONFIG_GENERATION: u32 = 0x0fc;

const MAGIC: u32 = 0x7472_6976; // "virt"
const MODERN: u32 = 2;
const VENDOR: u32 = 0x5258_4e4c; // "LNXR"

const STATUS_FEATURES_OK: u32 = 8;
const STATUS_NEEDS_RESET: u32 = 0x40;
const STATUS_MASK: u32 = 0xff;
/** VIRTIO_F_VERSION_1 in the second word of features. */
const VERSION_1: u32 = 1;

const RESET_WAIT_TICKS: f64 = 100_000;

function slotFile(slot: u32): usize {
  return VIRTIO + slot * VIRTIO_FILE_SIZE;
}

function isAbsent(file: usize): bool {
  return load<u32>(file, V_DEVICE_ID) == 0;
}

function ringDoorbell(file: usize): void {
  const server = atomic.load<u32>(file, V_SERVER);
  atomic.add<u32>(M_DOORBELLS + 4 * server, 1);
  host.doorbell(server);
}

/** The address of the words of queue `index`; 0 if the device has no such queue. */
function queueBlock(file: usize, index: u32): usize {
  if (index >= <u32>V_MAX_QUEUES) return 0;
  const queue = file + V_QUEUES + index * V_QUEUE_STRIDE;
  return load<u32>(queue, Q_NUM_MAX) != 0 ? queue : 0;
}

function selectedQueue(file: usize): usize {
  return queueBlock(file, atomic.load<u32>(file, V_QUEUE_SEL));
}

export function virtioRead(slot: u32, offset: u32): u32 {
  const file = slotFile(slot);
  switch (offset) {
    case MAGIC_VALUE:
      return MAGIC;
    case VERSION:
      return MODERN;
    case VENDOR_ID:
      return VENDOR;
    case DEVICE_ID:
      return load<u32>(file, V_DEVICE_ID);
    default:
      return isAbsent(file) ? 0 : readRegister(file, offset);
  }
}

function readRegister(file: usize, offset: u32): u32 {
  switch (offset) {
    case DEVICE_FEATURES: {
      const word = atomic.load<u32>(file, V_DEVICE_FEATURES_SEL);
      return word < 2 ? load<u32>(file + V_DEVICE_FEATURES + 4 * word) : 0;
    }
    case QUEUE_NUM_MAX: {
      const queue = selectedQueue(file);
      return queue != 0 ? load<u32>(queue, Q_NUM_MAX) : 0;
    }
    case QUEUE_READY: {
      const queue = selectedQueue(file);
      return queue != 0 ? atomic.load<u32>(queue, Q_READY) : 0;
    }
    case INTERRUPT_STATUS:
      return atomic.load<u32>(file, V_INTERRUPT_STATUS);
    case STATUS:
      return atomic.load<u32>(file, V_STATUS);
    // There are no shared memory regions, which is reported by all ones as length and base.
    case SHM_LEN_LOW:
    case SHM_LEN_HIGH:
    case SHM_BASE_LOW:
    case SHM_BASE_HIGH:
      return 0xffff_ffff;
    case CONFIG_GENERATION:
      return atomic.load<u32>(file, V_CONFIG_GENERATION);
    default:
      return 0;
  }
}

export function virtioWrite(slot: u32, offset: u32, value: u32): void {
  const file = slotFile(slot);
  if (isAbsent(file)) return;
  switch (offset) {
    case DEVICE_FEATURES_SEL:
      atomic.store<u32>(file, value, V_DEVICE_FEATURES_SEL);
      break;
    case DRIVER_FEATURES:
      writeDriverFeatures(file, value);
      break;
    case DRIVER_FEATURES_SEL:
      atomic.store<u32>(file, value, V_DRIVER_FEATURES_SEL);
      break;
    case QUEUE_SEL:
      atomic.store<u32>(file, value, V_QUEUE_SEL);
      break;
    case QUEUE_NOTIFY:
      notifyQueue(file, value);
      break;
    case INTERRUPT_ACK:
      acknowledge(slot, value);
      break;
    case STATUS:
      if (value == 0) reset(slot);
      else writeStatus(file, value);
      break;
    default: {
      const queue = selectedQueue(file);
      if (queue != 0) writeQueue(file, queue, offset, value);
    }
  }
}

/** The device uses the features that FEATURES_OK accepted, so they no longer change. */
function writeDriverFeatures(file: usize, value: u32): void {
  const word = atomic.load<u32>(file, V_DRIVER_FEATURES_SEL);
  if (word >= 2 || (atomic.load<u32>(file, V_STATUS) & STATUS_FEATURES_OK) != 0) return;
  atomic.store<u32>(file + V_DRIVER_FEATURES + 4 * word, value);
}

/** Accepts a subset of the offered features that includes VIRTIO_F_VERSION_1 (sections 2.2.2, 6.1). */
function featuresAcceptable(file: usize): bool {
  const low = atomic.load<u32>(file, V_DRIVER_FEATURES);
  const high = atomic.load<u32>(file, V_DRIVER_FEATURES + 4);
  const refused =
    (low & ~load<u32>(file, V_DEVICE_FEATURES)) | (high & ~load<u32>(file, V_DEVICE_FEATURES + 4));
  return refused == 0 && (high & VERSION_1) != 0;
}

/** Bits accumulate until the next reset (section 2.1.1). Only the device sets DEVICE_NEEDS_RESET. */
function writeStatus(file: usize, value: u32): void {
  let bits = value & STATUS_MASK & ~STATUS_NEEDS_RESET;
  const accepted = (atomic.load<u32>(file, V_STATUS) & STATUS_FEATURES_OK) != 0;
  if (!accepted && !featuresAcceptable(file)) bits &= ~STATUS_FEATURES_OK;
  atomic.or<u32>(file, bits, V_STATUS);
  ringDoorbell(file);
}

function notifyQueue(file: usize, index: u32): void {
  if (queueBlock(file, index) == 0) return;
  atomic.or<u32>(file, 1 << index, V_NOTIFY);
  ringDoorbell(file);
}

/**
 * Sets the line to the state of InterruptStatus. The device may set a bit at any time before it raises the
 * line, so the line is checked against InterruptStatus again afterwards.
 */
function settleLine(slot: u32): void {
  const file = slotFile(slot);
  const source = load<u32>(file, V_SOURCE);
  let status: u32;
  do {
    status = atomic.load<u32>(file, V_INTERRUPT_STATUS);
    if (status != 0) plicRaise(source);
    else plicLower(source);
  } while ((status != 0) != (atomic.load<u32>(file, V_INTERRUPT_STATUS) != 0));
}

function acknowledge(slot: u32, bits: u32): void {
  atomic.and<u32>(slotFile(slot), ~bits, V_INTERRUPT_STATUS);
  settleLine(slot);
}

/** The queue's size and addresses are fixed while it is ready. */
function writeQueue(file: usize, queue: usize, offset: u32, value: u32): void {
  if (offset == QUEUE_READY) {
    atomic.store<u32>(queue, value & 1, Q_READY);
    ringDoorbell(file);
    return;
  }
  if (atomic.load<u32>(queue, Q_READY) != 0) return;
  switch (offset) {
    case QUEUE_NUM:
      if (value <= load<u32>(queue, Q_NUM_MAX)) atomic.store<u32>(queue, value, Q_NUM);
      break;
    case QUEUE_DESC_LOW:
      atomic.store<u32>(queue, value, Q_DESC);
      break;
    case QUEUE_DESC_HIGH:
      atomic.store<u32>(queue, value, Q_DESC + 4);
      break;
    case QUEUE_DRIVER_LOW:
      atomic.store<u32>(queue, value, Q_DRIVER);
      break;
    case QUEUE_DRIVER_HIGH:
      atomic.store<u32>(queue, value, Q_DRIVER + 4);
      break;
    case QUEUE_DEVICE_LOW:
      atomic.store<u32>(queue, value, Q_DEVICE);
      break;
    case QUEUE_DEVICE_HIGH:
      atomic.store<u32>(queue, value, Q_DEVICE + 4);
      break;
  }
}

/** Clears everything that the driver wrote, and the device's answers. */
function clearFile(slot: u32): void {
  const file = slotFile(slot);
  atomic.store<u32>(file, 0, V_STATUS);
  atomic.store<u32>(file, 0, V_DRIVER_FEATURES);
  atomic.store<u32>(file, 0, V_DRIVER_FEATURES + 4);
  atomic.store<u32>(file, 0, V_DEVICE_FEATURES_SEL);
  atomic.store<u32>(file, 0, V_DRIVER_FEATURES_SEL);
  atomic.store<u32>(file, 0, V_QUEUE_SEL);
  atomic.store<u32>(file, 0, V_NOTIFY);
  for (let index: u32 = 0; index < <u32>V_MAX_QUEUES; index++) {
    const queue = file + V_QUEUES + index * V_QUEUE_STRIDE;
    atomic.store<u32>(queue, 0, Q_READY);
    atomic.store<u32>(queue, 0, Q_NUM);
    atomic.store<u64>(queue, 0, Q_DESC);
    atomic.store<u64>(queue, 0, Q_DRIVER);
    atomic.store<u64>(queue, 0, Q_DEVICE);
  }
  atomic.store<u32>(file, 0, V_INTERRUPT_STATUS);
  settleLine(slot);
}

/**
 * Returns once the device has stopped, because the driver may then reuse its buffers at once (section 2.4).
 */
function reset(slot: u32): void {
  const file = slotFile(slot);
  clearFile(slot);
  atomic.store<u32>(file, 1, V_RESET);
  ringDoorbell(file);
  while (atomic.load<u32>(file, V_RESET) != 0 && atomic.load<u32>(M_POWER) == POWER_RUNNING) {
    sleepWhile(file + V_RESET, 1, host.now() + RESET_WAIT_TICKS);
  }
  // The device may have finished a request, or requested a reset, before it saw ours.
  clearFile(slot);
}

/** `offset` is an offset in the configuration space. `size` is 1, 2 or 4. */
export function virtioConfigRead(slot: u32, offset: u32, size: i32): u32 {
  const file = slotFile(slot);
  if (isAbsent(file)) return 0;
  const address = file + V_CONFIG + offset;
  if (size == 1) return atomic.load<u8>(address);
  return size == 2 ? atomic.load<u16>(address) : atomic.load<u32>(address);
}

export function virtioConfigWrite(slot: u32, offset: u32, size: i32, value: u32): void {
  const file = slotFile(slot);
  if (isAbsent(file)) return;
  const address = file + V_CONFIG + offset;
  if (size == 1) atomic.store<u8>(address, <u8>value);
  else if (size == 2) atomic.store<u16>(address, <u16>value);
  else atomic.store<u32>(address, value);
  ringDoorbell(file);
}
