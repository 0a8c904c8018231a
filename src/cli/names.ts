import { randomInt } from 'node:crypto';

const QUALITIES =
  'amber bold brisk calm clear crisp dapper eager early fair fleet fresh gentle glad green keen kind light lucid merry mild neat noble plain proud quick quiet ready rosy sharp smooth spry steady sunny swift tidy vivid warm wild wise';
const THINGS =
  'acorn anchor badger beacon birch bison brook canoe cedar clover comet coral crane delta ember falcon fern finch fjord garnet harbor heron island juniper lagoon lantern lark maple meadow otter pebble pine plover quartz raven reef river robin sparrow spruce thistle tulip valley willow';

/** A random name for a container, such as `calm_otter`. */
export function randomName(): string {
  return `${pick(QUALITIES)}_${pick(THINGS)}`;
}

function pick(words: string): string {
  const list = words.split(' ');
  return list[randomInt(list.length)] ?? '';
}
