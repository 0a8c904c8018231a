/** How containers are called. */

import { toHex } from '../text/hex.ts';
import { DockerError } from './errors.ts';

const QUALITIES =
  'amber bold brisk calm clear crisp dapper eager early fair fleet fresh gentle glad green keen kind light lucid merry mild neat noble plain proud quick quiet ready rosy sharp smooth spry steady sunny swift tidy vivid warm wild wise';
const THINGS =
  'acorn anchor badger beacon birch bison brook canoe cedar clover comet coral crane delta ember falcon fern finch fjord garnet harbor heron island juniper lagoon lantern lark maple meadow otter pebble pine plover quartz raven reef river robin sparrow spruce thistle tulip valley willow';

const ID_SIZE = 32;

/** A random ID: 64 hexadecimal digits. */
export function randomId(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(ID_SIZE)));
}

/** A random name, such as `calm_otter`. */
export function randomName(): string {
  return `${pick(QUALITIES)}_${pick(THINGS)}`;
}

/** The error about a chosen name that another container has. */
export function nameIsTaken(name: string): DockerError {
  return new DockerError(
    `the container name "/${name}" is already in use: stop or remove that container, or choose another name`,
  );
}

function pick(words: string): string {
  const list = words.split(' ');
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
  return list[number % list.length] ?? '';
}
