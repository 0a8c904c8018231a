/** `<linux-run>` in JSX, for React 19. */
import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import './element.ts';
import type { LinuxRunElement, LinuxRunEvents, LinuxRunOptions } from './element.ts';

type Handlers = {
  [Name in keyof LinuxRunEvents as `on${Name}`]?: (event: LinuxRunEvents[Name]) => void;
};

export interface LinuxRunProps
  extends Partial<LinuxRunOptions>,
    Handlers,
    DetailedHTMLProps<HTMLAttributes<LinuxRunElement>, LinuxRunElement> {
  readonly image: string;
  readonly autostart?: boolean;
  readonly theme?: 'light' | 'dark';
}

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'linux-run': LinuxRunProps;
    }
  }
}
