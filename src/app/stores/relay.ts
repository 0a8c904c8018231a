import { create } from 'zustand';
import { persist } from 'zustand/middleware';
import { parseRelay } from '../../options/network.mjs';
import { OptionError } from '../../options/option-error.mjs';

interface RelayState {
  /** As the user typed it; empty for `on`. */
  readonly relay: string;
  choose(relay: string): void;
}

/**
 * The relay for all containers of this browser. Only its user sets it, and no link does, because the relay
 * sees all traffic.
 */
export const useRelay = create<RelayState>()(
  persist((set) => ({ relay: '', choose: (relay) => set({ relay }) }), {
    name: 'linuxrun-relay',
    partialize: ({ relay }) => ({ relay }),
  }),
);

export type ReadRelay =
  | { readonly relay: string; readonly error?: undefined }
  | { readonly relay?: undefined; readonly error: string };

/** The relay of the next container: none if the setting is wrong. */
export function currentRelay(): string {
  return readRelay(useRelay.getState()).relay ?? 'off';
}

/** Reads the setting, as `parseRelay` returns it. */
export function readRelay({ relay }: Pick<RelayState, 'relay'>): ReadRelay {
  try {
    return { relay: relay.trim() === '' ? 'on' : parseRelay(relay.trim()) };
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    return { error: error.message };
  }
}
