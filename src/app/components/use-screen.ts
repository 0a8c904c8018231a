import { type RefObject, useEffect, useState } from 'react';
import type { Screen, ScreenEvents } from '../../terminal/screen.ts';
import type { TerminalPort } from '../machine/terminal-port.ts';
import { watchDarkness } from '../stores/theme.ts';
import { type OpenScreen, openScreen } from './spare-screen.ts';

/** What a terminal's place on the page does with the terminal's events. */
export type PlaceEvents = Omit<ScreenEvents, 'onInput' | 'onResize'>;

/**
 * Opens a screen for a process in the element, for the element's lifetime.
 * @param events the same object at every rendering
 * @param open the same function at every rendering
 */
export function useScreen(
  element: RefObject<HTMLDivElement | null>,
  port: TerminalPort,
  events: PlaceEvents,
  open: OpenScreen = openScreen,
): Screen | undefined {
  const [screen, setScreen] = useState<Screen>();
  useEffect(() => {
    const opened = open(element.current as HTMLDivElement, {
      ...events,
      onInput: (bytes) => port.type(bytes),
      onResize: (size) => port.resize(size),
    });
    port.attach(opened);
    port.resize(opened.size);
    setScreen(opened);
    const unwatch = watchDarkness((dark) => opened.setDark(dark));
    return () => {
      unwatch();
      opened.dispose();
    };
  }, [element, port, events, open]);
  return screen;
}
