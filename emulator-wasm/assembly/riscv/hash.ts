/**
 * The keyed hash that identifies the bytes of a page of code where they cannot be compared: in compiled
 * regions, and between a hart and the translator. The key is secret and new for each machine, because a guest
 * that could make two pages with the same hash could run the code of one instead of the other.
 */
import { M_CODE_KEY } from '../../layout';
import { mulhu } from './integer';
import { PAGE_SIZE } from '../ram';

/** Combines both halves of the product. The upper half depends on all bits of both factors. */
@inline
function fold(a: u64, b: u64): u64 {
  return (a * b) ^ mulhu(a, b);
}

/** The hash of the page at a host address. */
export function hashPage(host: usize): u64 {
  const key = load<u64>(M_CODE_KEY);
  let hash = load<u64>(M_CODE_KEY, 8);
  for (let at = host; at < host + PAGE_SIZE; at += 16)
    hash = fold(load<u64>(at) ^ key, load<u64>(at, 8) ^ hash);
  return hash;
}
