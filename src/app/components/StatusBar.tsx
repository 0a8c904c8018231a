import type { Usage } from '../../machine/machine.ts';
import { formatBytes, formatDuration } from '../model/format.ts';
import { duration, type StepName } from '../model/progress.ts';
import { useLibrary } from '../stores/library.ts';
import { useSession } from '../stores/session.ts';

const TIMES: readonly (readonly [StepName, string])[] = [
  ['resolve', 'Found'],
  ['download', 'Layers'],
  ['boot', 'Kernel'],
  ['start', 'Start'],
];

/** Figures of the machine. */
export function StatusBar() {
  const { progress, mips, run, usage } = useSession();
  const used = useLibrary(({ quota }) => quota?.used);
  const times = TIMES.map(([name, label]) => [label, progress.steps[name]] as const);
  return (
    <dl className="status-bar" aria-label="Figures">
      {times.map(([label, step]) => (
        <Figure key={label} label={label}>
          {step.ended === undefined ? '–' : formatDuration(duration(step, 0) ?? 0)}
        </Figure>
      ))}
      <Figure label="Speed">{mips === undefined ? '–' : `${Math.round(mips)} MIPS`}</Figure>
      <Figure label="Memory">{memoryOf(usage, run?.wish.memoryBytes ?? 0)}</Figure>
      <Figure label="Storage">{used === undefined ? '–' : formatBytes(used)}</Figure>
    </dl>
  );
}

function memoryOf(usage: Usage | undefined, size: number): string {
  if (!usage) return formatBytes(size);
  const { totalBytes, availableBytes } = usage.memory;
  return `${formatBytes(totalBytes - availableBytes)} of ${formatBytes(size)}`;
}

function Figure({ label, children }: { label: string; children: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
