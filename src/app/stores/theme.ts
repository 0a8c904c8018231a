import { create } from 'zustand';
import { persist } from 'zustand/middleware';

export type Theme = 'system' | 'light' | 'dark';

/** The order in which a button offers them. */
export const NEXT_THEME: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };

const NAMES: Record<Theme, string> = { system: 'as the system', light: 'light', dark: 'dark' };

/** The label of that button. */
export const labelOfTheme = (theme: Theme) => `Colours: ${NAMES[theme]}`;

interface ThemeState {
  readonly theme: Theme;
  choose(theme: Theme): void;
}

export const useTheme = create<ThemeState>()(
  persist((set) => ({ theme: 'system', choose: (theme) => set({ theme }) }), { name: 'linuxrun-theme' }),
);

const darkSystem = matchMedia('(prefers-color-scheme: dark)');

export function isDark(theme: Theme): boolean {
  return theme === 'dark' || (theme === 'system' && darkSystem.matches);
}

/** Calls `change` whenever light becomes dark or the reverse. @returns a function that ends this */
export function watchDarkness(change: (dark: boolean) => void): () => void {
  const update = () => change(isDark(useTheme.getState().theme));
  const unsubscribe = useTheme.subscribe(update);
  darkSystem.addEventListener('change', update);
  return () => {
    unsubscribe();
    darkSystem.removeEventListener('change', update);
  };
}

/** Tells the style sheets the user's choice. */
export function applyTheme(): void {
  const apply = ({ theme }: ThemeState) => {
    document.documentElement.dataset.theme = theme;
  };
  apply(useTheme.getState());
  useTheme.subscribe(apply);
}
