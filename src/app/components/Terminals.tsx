import { type ComponentType, Fragment, lazy, useEffect, useState } from 'react';
import { useLayout } from '../stores/layout.ts';
import { useTerminals } from '../stores/terminals.ts';
import { whenIdle } from './idle.ts';
import { Later } from './Later.tsx';
import { Separator } from './Separator.tsx';
import { sized } from './sized.ts';
import type { TerminalPaneProps } from './TerminalPane.tsx';
import { TerminalTabs } from './TerminalTabs.tsx';
import { PHONE, useMedia } from './use-media.ts';

type Pane = ComponentType<TerminalPaneProps>;

const LaterPane = lazy(() => import('./TerminalPane.tsx'));
let LoadedPane: Pane | undefined;

/**
 * Loads the code of terminals and opens the screen of the next one, so that it is there at once: React shows
 * later parts 300 ms later.
 */
export async function prepareTerminals(): Promise<void> {
  LoadedPane = (await import('./TerminalPane.tsx')).default;
  await (await import('./spare-screen.ts')).prepareScreen();
}

/** The terminals, one or two of which are visible. */
export function Terminals() {
  const { tabs, active, beside, activate } = useTerminals();
  const size = useLayout(({ sizes }) => sizes.terminal);
  const isStacked = useMedia(PHONE);
  const [TerminalPane] = useState<Pane>(() => LoadedPane ?? LaterPane);
  // Both keep their places when the other one becomes the active one.
  const left = beside === undefined ? undefined : tabs.find(({ id }) => id === active || id === beside);
  useEffect(() => () => whenIdle(() => prepareTerminals().catch(() => {})), []);
  return (
    <>
      <TerminalTabs />
      <div className="terminal-panes">
        {tabs.map((tab) => (
          <Fragment key={tab.id}>
            <div
              className="terminal-pane"
              role="tabpanel"
              id={`terminal-${tab.id}`}
              aria-labelledby={`tab-${tab.id}`}
              aria-description="Control F6 leaves the terminal"
              hidden={tab.id !== active && tab.id !== beside}
              style={tab === left ? sized(size) : undefined}
              onFocus={() => activate(tab.id)}
            >
              <Later>
                <TerminalPane tab={tab} isActive={tab.id === active} />
              </Later>
            </div>
            {tab === left && (
              <Separator
                division="terminal"
                label="Size of the first terminal"
                isStacked={isStacked}
                controls={`terminal-${tab.id}`}
              />
            )}
          </Fragment>
        ))}
      </div>
    </>
  );
}
