import { OptionError } from './option-error.mjs';

/** Linux's signals from 1 on (asm-generic/signal.h). */
const NAMES = [
  ...['HUP', 'INT', 'QUIT', 'ILL', 'TRAP', 'ABRT', 'BUS', 'FPE', 'KILL', 'USR1', 'SEGV', 'USR2'],
  ...['PIPE', 'ALRM', 'TERM', 'STKFLT', 'CHLD', 'CONT', 'STOP', 'TSTP', 'TTIN', 'TTOU', 'URG', 'XCPU'],
  ...['XFSZ', 'VTALRM', 'PROF', 'WINCH', 'IO', 'PWR', 'SYS'],
];
/** As in C libraries, which reserve the kernel's first two. */
const RTMIN = 34;
const RTMAX = 64;

export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGKILL = 9;
export const SIGTERM = 15;

/** The time that a stopped container has to end by itself, in ms, as for `docker stop`. */
export const STOP_GRACE = 10_000;

/**
 * @param text such as `SIGTERM`, `term`, `15` or `SIGRTMIN+3`
 * @throws OptionError
 */
export function parseSignal(text: string): number {
  const name = text.trim().toUpperCase().replace(/^SIG/, '');
  const number = /^\d+$/.test(name) ? Number(name) : namedSignal(name);
  if (number < 1 || number > RTMAX) throw new OptionError(`there is no signal "${text}"`);
  return number;
}

function namedSignal(name: string): number {
  const [, base, offset = '0'] = /^(RTMIN|RTMAX)([+-]\d+)?$/.exec(name) ?? [];
  if (base === undefined) return NAMES.indexOf(name) + 1;
  const number = (base === 'RTMIN' ? RTMIN : RTMAX) + Number(offset);
  return number >= RTMIN ? number : 0;
}
