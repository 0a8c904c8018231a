import { create } from 'zustand';
import { persist } from 'zustand/middleware';
import { readLink, writeLink } from '../model/link.ts';

const KEPT = 6;

interface Kept {
  /** Queries of links to recent runs, without the values of variables, the latest first. */
  readonly links: readonly string[];
}

interface RecentState extends Kept {
  remember(link: string): void;
  forget(link: string): void;
}

export const useRecent = create<RecentState>()(
  persist<RecentState, [], [], Kept>(
    (set) => ({
      links: [],
      remember: (link) =>
        set(({ links }) => ({ links: [link, ...links.filter((other) => other !== link)].slice(0, KEPT) })),
      forget: (link) => set(({ links }) => ({ links: links.filter((other) => other !== link) })),
    }),
    {
      name: 'linuxrun-recent',
      version: 1,
      // Earlier versions of the page also kept the values of variables.
      migrate: (old) => ({ links: (old as Kept).links.map(withoutValues) }),
      partialize: ({ links }) => ({ links }),
    },
  ),
);

function withoutValues(link: string): string {
  return writeLink(readLink(link).form, { withValues: false });
}
