import type { NetworkStatus } from '../machine/machine.ts';

/** The line for the user about a network that does not work; undefined if there is nothing to say. */
export function networkNotice({ state, reason = '', isMissed }: NetworkStatus): string | undefined {
  if (state === 'down') return `The network is down. ${reason}.`;
  return state === 'off' && isMissed ? `There is no network. ${reason}.` : undefined;
}
