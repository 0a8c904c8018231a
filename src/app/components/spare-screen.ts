import '@xterm/xterm/css/xterm.css';
import { Screen, type ScreenEvents } from '../../terminal/screen.ts';
import { isDark, useTheme } from '../stores/theme.ts';

/** Opens a screen in an element. */
export type OpenScreen = (element: HTMLElement, events: ScreenEvents) => Screen;

const FONT = '14px "Geist Mono Variable"';
const UNUSED: ScreenEvents = { onInput() {}, onResize() {}, onLeaveKey() {} };

let spare: Screen | undefined;

export const openScreen: OpenScreen = (element, events) =>
  new Screen(element, events, isDark(useTheme.getState().theme));

/** Opens a screen for the next terminal, because that takes about as long as the start of a container. */
export async function prepareScreen(): Promise<void> {
  // A terminal measures its font when it opens. It can do with another one.
  await document.fonts.load(FONT).catch(() => {});
  if (spare) return;
  const place = document.createElement('div');
  place.className = 'spare-screen';
  document.body.append(place);
  spare = openScreen(place, UNUSED);
  place.remove();
}

/** Puts the prepared screen into the element, or opens one there. */
export const takeScreen: OpenScreen = (element, events) => {
  const screen = spare;
  if (!screen) return openScreen(element, events);
  spare = undefined;
  screen.move(element, events);
  screen.setDark(isDark(useTheme.getState().theme));
  return screen;
};
