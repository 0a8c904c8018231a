import type { KeyboardEvent } from 'react';
import { useSession } from '../stores/session.ts';
import { type TerminalTab, useTerminals } from '../stores/terminals.ts';
import { IconButton } from './Button.tsx';
import { FullScreenButton } from './FullScreenButton.tsx';
import { KeysButton } from './KeysButton.tsx';

/** Tabs that choose a terminal or open a new one. */
export function TerminalTabs() {
  const { tabs, active, beside, open, split, close, activate, find } = useTerminals();
  const isRunning = useSession(({ phase }) => phase === 'running');
  const move = ({ key }: KeyboardEvent) => {
    const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
    const at = tabs.findIndex(({ id }) => id === active);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (step !== 0 && next) activate(next.id);
  };
  const shown = tabs.find(({ id }) => id === active);
  return (
    <div className="tabs">
      <div role="tablist" aria-label="Terminals" className="tab-list" onKeyDown={move}>
        {tabs.map((tab) => (
          <Tab key={tab.id} tab={tab} title={titleOf(tab, tabs)} isActive={tab === shown} />
        ))}
      </div>
      {shown && shown !== tabs[0] && (
        <IconButton
          icon="close"
          label={`Close ${titleOf(shown, tabs)}`}
          title="Close this terminal"
          onClick={() => close(shown.id)}
        />
      )}
      <IconButton
        icon="plus"
        label="New terminal"
        title="New terminal: a shell in the same container"
        disabled={!isRunning}
        onClick={() => void open()}
      />
      <IconButton
        icon="split"
        label="Split"
        className="tabs-split"
        title={beside === undefined ? 'Split: a new terminal beside this one' : 'Show this terminal alone'}
        aria-pressed={beside !== undefined}
        disabled={!isRunning && beside === undefined}
        onClick={() => void split()}
      />
      <IconButton
        icon="find"
        label="Find"
        className="tabs-find"
        title="Find text (Ctrl+Shift+F)"
        onClick={() => find(true)}
      />
      <FullScreenButton />
      <KeysButton />
    </div>
  );
}

interface TabProps {
  readonly tab: TerminalTab;
  readonly title: string;
  readonly isActive: boolean;
}

function Tab({ tab, title, isActive }: TabProps) {
  const activate = useTerminals((terminals) => terminals.activate);
  return (
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
  );
}

function titleOf(tab: TerminalTab, tabs: readonly TerminalTab[]): string {
  return tab.title || (tab === tabs[0] ? 'Container' : `Shell ${tabs.indexOf(tab)}`);
}
