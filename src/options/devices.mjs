import { OptionError } from './option-error.mjs';

/**
 * The devices of the guest's kernel that a container may have beside the usual ones.
 * @type {readonly string[]}
 */
export const DEVICES = ['/dev/fuse', '/dev/net/tun'];

/** @param {readonly string[]} devices @throws OptionError unless all are in DEVICES */
export function checkDevices(devices) {
  const unknown = devices.find((device) => !DEVICES.includes(device));
  if (unknown !== undefined)
    throw new OptionError(`there is no device "${unknown}" to give: name ${DEVICES.join(' or ')}`);
}

/** @param {string} text paths with commas between them @throws OptionError */
export function parseDevices(text) {
  const devices = text.split(',').map((path) => path.trim());
  checkDevices(devices);
  return devices;
}
