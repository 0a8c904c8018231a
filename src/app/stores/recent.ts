import { create } from 'zustand';
import { persist } from 'zustand/middleware';

const KEPT = 6;

interface RecentState {
  /** Queries of links to what was run, the latest first. */
  readonly links: readonly string[];
  remember(link: string): void;
  forget(link: string): void;
}

export const useRecent = create<RecentState>()(
  persist(
    (set) => ({
      links: [],
      remember: (link) =>
        set(({ links }) => ({ links: [link, ...links.filter((other) => other !== link)].slice(0, KEPT) })),
      forget: (link) => set(({ links }) => ({ links: links.filter((other) => other !== link) })),
    }),
    { name: 'linuxrun-recent' },
  ),
);
