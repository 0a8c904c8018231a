import type { ISearchOptions } from '@xterm/addon-search';
import type { ITheme } from '@xterm/xterm';

export const LIGHT: ITheme = {
  background: '#fffdfa',
  foreground: '#24292c',
  cursor: '#0b6e69',
  cursorAccent: '#fffdfa',
  selectionBackground: '#bfe0dc',
  black: '#24292c',
  red: '#a8321f',
  green: '#2f6b2f',
  yellow: '#80590a',
  blue: '#255d9e',
  magenta: '#87408a',
  cyan: '#0b6e69',
  white: '#6a7375',
  brightBlack: '#5c6668',
  brightRed: '#c0392b',
  brightGreen: '#3a7d3a',
  brightYellow: '#946a10',
  brightBlue: '#2f6fb8',
  brightMagenta: '#9a4f9d',
  brightCyan: '#12807a',
  brightWhite: '#24292c',
};

export const DARK: ITheme = {
  background: '#14191b',
  foreground: '#d7dddc',
  cursor: '#6fd6cc',
  cursorAccent: '#14191b',
  selectionBackground: '#264f4c',
  black: '#3a4346',
  red: '#ff9d87',
  green: '#9fd08f',
  yellow: '#e6c476',
  blue: '#8fbcf0',
  magenta: '#d7a3da',
  cyan: '#6fd6cc',
  white: '#d7dddc',
  brightBlack: '#86918f',
  brightRed: '#ffb4a3',
  brightGreen: '#b8e0aa',
  brightYellow: '#f0d798',
  brightBlue: '#b0d0f6',
  brightMagenta: '#e5bfe7',
  brightCyan: '#9be5dd',
  brightWhite: '#f4f7f6',
};

/** The colours of what a search finds. */
type MatchColours = NonNullable<ISearchOptions['decorations']>;

export const LIGHT_MATCHES: MatchColours = {
  matchBackground: '#f3e6bd',
  matchOverviewRuler: '#946a10',
  activeMatchBackground: '#e6b94f',
  activeMatchColorOverviewRuler: '#0b6e69',
};

export const DARK_MATCHES: MatchColours = {
  matchBackground: '#4a4020',
  matchOverviewRuler: '#e6c476',
  activeMatchBackground: '#80590a',
  activeMatchColorOverviewRuler: '#6fd6cc',
};
