import type { KeyboardEvent } from 'react';
import { useSession } from '../stores/session.ts';
import { type TerminalTab, useTerminals } from '../stores/terminals.ts';
import { Icon } from './Icon.tsx';

/** Which terminal is seen, and the way to more of them. */
export function TerminalTabs() {
  const { tabs, active, open, activate } = useTerminals();
  const isRunning = useSession(({ phase }) => phase === 'running');
  const move = ({ key }: KeyboardEvent) => {
    const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
    const at = tabs.findIndex(({ id }) => id === active);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (step !== 0 && next) activate(next.id);
  };
  return (
    <div className="tabs">
      <div role="tablist" aria-label="Terminals" className="tab-list" onKeyDown={move}>
        {tabs.map((tab, index) => (
          <Tab key={tab.id} tab={tab} isFirst={index === 0} isActive={tab.id === active} />
        ))}
      </div>
      <button
        type="button"
        className="button button-quiet button-icon"
        aria-label="New terminal"
        title="New terminal: a shell in the same container"
        disabled={!isRunning}
        onClick={() => void open()}
      >
        <Icon name="plus" />
      </button>
    </div>
  );
}

interface TabProps {
  readonly tab: TerminalTab;
  readonly isFirst: boolean;
  readonly isActive: boolean;
}

function Tab({ tab, isFirst, isActive }: TabProps) {
  const { activate, close } = useTerminals.getState();
  const title = tab.title || (isFirst ? 'Container' : 'Shell');
  return (
    <div className="tab" role="presentation">
      <button
        type="button"
        role="tab"
        id={`tab-${tab.id}`}
        aria-controls={`terminal-${tab.id}`}
        aria-selected={isActive}
        tabIndex={isActive ? 0 : -1}
        onClick={() => activate(tab.id)}
      >
        {title}
        {tab.hasBell && <span className="tab-bell" role="img" aria-label="It rang" />}
      </button>
      {!isFirst && (
        <button
          type="button"
          className="tab-close"
          aria-label={`Close ${title}`}
          tabIndex={isActive ? 0 : -1}
          onClick={() => close(tab.id)}
        >
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}
