/**
 * Keys that browsers keep for themselves, and give to a page that fills the screen. Escape is one of them, so
 * the user leaves full screen by holding it, as the browser says.
 */
const KEYS = ['KeyW', 'KeyT', 'KeyN', 'Escape'];

interface Keyboard {
  lock(codes: readonly string[]): Promise<void>;
}

export const canFillScreen = () => document.fullscreenEnabled;

export const fillsScreen = () => document.fullscreenElement !== null;

/** Fills the screen with the page, where all keys reach the terminal, or ends that. */
export async function toggleFullScreen(): Promise<void> {
  if (fillsScreen()) return document.exitFullscreen();
  await document.documentElement.requestFullscreen();
  // Only Chromium has it. The browser unlocks the keys when full screen ends.
  await (navigator as { keyboard?: Keyboard }).keyboard?.lock(KEYS);
}
