import { expect, test } from 'vitest';
import { parseDevices } from './devices.mjs';
import { OptionError } from './option-error.mjs';

test('reads a list of devices', () => {
  expect(parseDevices('/dev/fuse')).toEqual(['/dev/fuse']);
  expect(parseDevices('/dev/fuse, /dev/net/tun')).toEqual(['/dev/fuse', '/dev/net/tun']);
});

test.each(['/dev/vda', '/dev/../dev/fuse', 'fuse', '/dev/fuse,', '/dev/fuse:/dev/x', '/dev/fuse\0'])(
  'refuses %j, and names the devices there are',
  (text) => {
    expect(() => parseDevices(text)).toThrow(OptionError);
    expect(() => parseDevices(text)).toThrow(/\/dev\/fuse or \/dev\/net\/tun/);
  },
);
