import { type ReactNode, useId } from 'react';
import { formatBytes } from '../model/format.ts';
import type { Reading } from '../model/reading.ts';
import { type Run, useSession } from '../stores/session.ts';
import { MonitorCard } from './MonitorCard.tsx';
import { NetworkDetails, NetworkFigure } from './NetworkFigure.tsx';
import { StartHistory } from './StartHistory.tsx';

/** What the machine uses while it runs, and how its start went. */
export function StatusBar() {
  const { phase, run, reading, lessMemory } = useSession();
  const isRunning = phase === 'running' || phase === 'stopping';
  return (
    <div className="status-bar">
      {isRunning && run && reading && (
        <Figures run={run} reading={reading} memoryBytes={lessMemory ?? run.wish.memoryBytes} />
      )}
      <StartHistory />
    </div>
  );
}

interface FiguresProps {
  readonly run: Run;
  readonly reading: Reading;
  readonly memoryBytes: number;
}

function Figures({ run, reading, memoryBytes }: FiguresProps) {
  const { diskBytes, cpus } = run.wish;
  const network = useId();
  const monitor = useId();
  return (
    <>
      <dl aria-label="Figures">
        <Figure label={cpus > 1 ? `${cpus} CPUs` : 'CPU'}>
          <button
            type="button"
            className="bar-button"
            popoverTarget={monitor}
          >{`${Math.round(reading.cpu * 100)} %`}</button>
        </Figure>
        <Figure label="Memory">{`${formatBytes(reading.memory)} of ${formatBytes(memoryBytes)}`}</Figure>
        <Figure label="Disk">{`${formatBytes(reading.disk)} of ${formatBytes(diskBytes)}`}</Figure>
        <Figure label="Speed">{`${Math.round(reading.mips)} MIPS`}</Figure>
        <Figure label="Network">
          <NetworkFigure details={network} />
        </Figure>
      </dl>
      <NetworkDetails id={network} />
      <MonitorCard id={monitor} />
    </>
  );
}

function Figure({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
