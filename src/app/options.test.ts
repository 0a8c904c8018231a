import { describe, expect, it } from 'vitest';
import { MachineError } from '../machine/errors.ts';
import { parseOptions } from './options.ts';

const MIB = 2 ** 20;

describe('parseOptions', () => {
  it.each([
    ['', 1, 256],
    ['?cpus=4', 4, 256],
    ['?memory=64M', 1, 64],
    ['?memory=2g&cpus=2', 2, 2048],
  ])('%s', (query, cpus, mebibytes) => {
    expect(parseOptions(query)).toEqual({ cpus, memory: mebibytes * MIB });
  });

  it.each([
    ['?cpus=', /cpus must be a number/],
    ['?cpus=-1', /cpus must be a number/],
    ['?cpus=1e3', /cpus must be a number/],
    ['?cpus=0', /CPUs must be 1 to/],
    ['?cpus=99999999999999999999', /CPUs must be 1 to/],
    ['?memory=256', /memory must be a size/],
    ['?memory=lots', /memory must be a size/],
    ['?memory=0.5G', /memory must be a size/],
    ['?memory=1M', /too little/],
    ['?memory=4G', /too much/],
    ['?memory=99999999999999999999999G', /memory/],
    ['?memroy=64M', /no option "memroy"/],
  ])('%s is refused', (query, message) => {
    expect(() => parseOptions(query)).toThrow(MachineError);
    expect(() => parseOptions(query)).toThrow(message);
  });
});
