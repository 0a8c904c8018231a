import { FitAddon } from '@xterm/addon-fit';
import { type ITheme, Terminal } from '@xterm/xterm';

const LIGHT: ITheme = {
  background: '#fdfdfd',
  foreground: '#22272e',
  cursor: '#22272e',
  selectionBackground: '#b9d3ee',
  black: '#22272e',
  red: '#a3321f',
  green: '#2f6b2f',
  yellow: '#80590a',
  blue: '#285ea0',
  magenta: '#87408a',
  cyan: '#1d6a72',
  white: '#6a737d',
  brightBlack: '#5c6670',
  brightWhite: '#22272e',
};

const DARK: ITheme = {
  background: '#1b2027',
  foreground: '#d5dae0',
  cursor: '#d5dae0',
  selectionBackground: '#33506e',
  black: '#3a424c',
  red: '#ff9d87',
  green: '#9fd08f',
  yellow: '#e6c476',
  blue: '#8fbcf0',
  magenta: '#d7a3da',
  cyan: '#84cfd6',
  white: '#d5dae0',
};

/** Opens a terminal that fills `element` and follows the system's light or dark theme. */
export function openTerminal(element: HTMLElement): Terminal {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const theme = () => (dark.matches ? DARK : LIGHT);
  const terminal = new Terminal({
    theme: theme(),
    fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
    fontSize: 14,
    minimumContrastRatio: 4.5,
    scrollback: 5000,
  });
  dark.addEventListener('change', () => {
    terminal.options.theme = theme();
  });

  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(element);
  new ResizeObserver(() => fit.fit()).observe(element);
  return terminal;
}
