import { create } from 'zustand';
import { persist } from 'zustand/middleware';

/** The pairs of panes that a separator divides, named after the one whose size it sets. */
export type Division = 'files' | 'editor' | 'terminals' | 'terminal';

/** The least part of both panes, in percent. */
export const LEAST = 10;
export const MOST = 100 - LEAST;

interface LayoutState {
  /** The parts of the named panes, in percent. */
  readonly sizes: Readonly<Record<Division, number>>;

  resize(division: Division, size: number): void;
}

const USUAL: LayoutState['sizes'] = { files: 26, editor: 55, terminals: 50, terminal: 50 };

/** The sizes of the panes, which this browser remembers. */
export const useLayout = create<LayoutState>()(
  persist(
    (set) => ({
      sizes: USUAL,
      resize: (division, size) => set(({ sizes }) => ({ sizes: { ...sizes, [division]: within(size) } })),
    }),
    {
      name: 'linuxrun-layout',
      merge: (stored, state) => ({ ...state, sizes: readSizes((stored as Partial<LayoutState>)?.sizes) }),
    },
  ),
);

function within(size: number): number {
  return Math.min(Math.max(size, LEAST), MOST);
}

/** Anything may be in the browser's storage. */
function readSizes(stored: Readonly<Partial<Record<Division, unknown>>> | undefined): LayoutState['sizes'] {
  const read = (division: Division) => {
    const size = stored?.[division];
    return typeof size === 'number' && Number.isFinite(size) ? within(size) : USUAL[division];
  };
  return {
    ...{ files: read('files'), editor: read('editor') },
    ...{ terminals: read('terminals'), terminal: read('terminal') },
  };
}
