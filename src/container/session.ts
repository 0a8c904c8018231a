/** The saved session of a container: what is in its machine's memory, and what its owner knows of it. */
import type {
  ContainerOptions as ContainerRequest,
  MachineState,
  Plain,
  SuspendedMachine,
} from '../machine/machine.ts';
import { StateReader } from '../machine/state.ts';

/** Limits of a saved state. */
const MAX_HARTS = 64;
const MAX_DEVICES = 64;
const MAX_BLOCK = 1 << 20;
const MAX_VARIABLES = 1 << 16;
const MAX_TEXT = 1 << 20;
const MAX_LAYERS = 1024;

/** What further processes of a container have, too. */
export type Settings = Pick<ContainerRequest, 'env' | 'directory' | 'user'> & { readonly stopSignal: number };

/** Everything of a suspended container that is neither in its RAM nor on a kept disk. */
export interface ContainerState {
  readonly machine: MachineState;
  readonly settings: Settings;
}

/** A container that stands still. Its owner saves it, and then lets it go on or stops it. */
export interface SuspendedContainer {
  readonly state: Plain;
  /** Of its kept disk. */
  readonly checkpoint: number | undefined;
  readonly machine: SuspendedMachine;
}

export function suspended(machine: SuspendedMachine, settings: Settings): SuspendedContainer {
  const { harts, ramBytes, machineBlock, hartBlocks, devices, agent, owner } = machine.state;
  const { env, directory, user, stopSignal } = settings;
  const state = {
    machine: { harts, ramBytes, machineBlock, hartBlocks, devices, agent, owner },
    settings: { env, directory, user, stopSignal },
  };
  return { state, checkpoint: checkpointOf(devices), machine };
}

/**
 * Checks the form of a state. The machine checks its values.
 * @param layers of the image that is held for it
 * @throws StateError
 */
export function readContainerState(value: Plain, layers: readonly string[]): ContainerState {
  const reader = new StateReader(value, 'container');
  const machine = readMachineState(reader.field('machine'));
  const settings = reader.field('settings');
  checkLayers(machine.devices, layers);
  return {
    machine,
    settings: {
      env: settings
        .field('env')
        .list(MAX_VARIABLES)
        .map((variable) => variable.text(MAX_TEXT)),
      directory: settings.field('directory').text(MAX_TEXT),
      user: settings.field('user').text(MAX_TEXT),
      stopSignal: settings.field('stopSignal').integer(1, 64),
    },
  };
}

function readMachineState(reader: StateReader): MachineState {
  return {
    harts: reader.field('harts').integer(1, MAX_HARTS),
    ramBytes: reader.field('ramBytes').integer(1, Number.MAX_SAFE_INTEGER),
    machineBlock: reader.field('machineBlock').bytes(0, MAX_BLOCK),
    hartBlocks: reader
      .field('hartBlocks')
      .list(MAX_HARTS)
      .map((block) => block.bytes(0, MAX_BLOCK)),
    devices: reader
      .field('devices')
      .list(MAX_DEVICES)
      .map((device) => device.raw),
    agent: reader.field('agent').raw,
    owner: reader.field('owner').raw,
  };
}

/** The state with all chunks of its kept disk, instead of a checkpoint of it. */
export function withChunks(state: Plain, chunks: readonly (readonly [number, Uint8Array])[]): Plain {
  const { machine, settings } = state as { machine: { devices: readonly Plain[] }; settings: Plain };
  const devices = machine.devices.map((device) => {
    const disk = diskStates([device])[0];
    if (!disk || !has(disk, 'checkpoint')) return device;
    const { state } = device as { state: { readonly [name: string]: Plain } };
    return { kind: 'block', state: { ...state, own: { disk: { chunks } } } };
  });
  return { machine: { ...machine, devices }, settings };
}

/** A state opens the layers that it names, which must be those of its image. */
function checkLayers(devices: readonly Plain[], layers: readonly string[]): void {
  for (const disk of diskStates(devices)) {
    if (!has(disk, 'layers')) continue;
    const named = disk
      .field('layers')
      .list(MAX_LAYERS)
      .map((layer) => layer.text(MAX_TEXT));
    if (named.length !== layers.length || named.some((layer, n) => layer !== layers[n]))
      disk.fail('belongs to another image');
  }
}

function checkpointOf(devices: readonly Plain[]): number | undefined {
  const disk = diskStates(devices).find((disk) => has(disk, 'checkpoint'));
  return disk?.field('checkpoint').integer(0, Number.MAX_SAFE_INTEGER);
}

/** The states of the disks among devices. */
function diskStates(devices: readonly Plain[]): StateReader[] {
  return devices
    .map((device, slot) => new StateReader(device, `device ${slot}`))
    .filter((device) => device.field('kind').raw === 'block')
    .map((device) => device.field('state').field('own').field('disk'));
}

function has(reader: StateReader, name: string): boolean {
  const value = reader.raw;
  return value !== null && typeof value === 'object' && Object.hasOwn(value, name);
}
