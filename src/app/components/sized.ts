import type { CSSProperties } from 'react';

/** Gives a pane a part of the room that it shares with another one and their separator. */
export function sized(percent: number): CSSProperties {
  return { flex: `0 0 calc((100% - var(--unit)) * ${percent / 100})` };
}
