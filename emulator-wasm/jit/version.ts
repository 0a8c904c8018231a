import { hasTailCalls } from './dispatch.ts';
import { fusesMultiplyAdd, hasSimd, isX86 } from './host.ts';

/** A digest of the translator's sources. The bundlers define it. */
declare const TRANSLATOR: string;

/** Names everything that decides on the compiled code of the same pages: the translator, and the host. */
export function translatorVersion(): string {
  return [portableVersion(), hasSimd(), fusesMultiplyAdd(), isX86].join(' ');
}

/** Names what decides on regions that are portable. */
export function portableVersion(): string {
  return [TRANSLATOR, hasTailCalls()].join(' ');
}
