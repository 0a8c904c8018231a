import { formatBytes, formatDuration } from '../model/format.ts';
import { duration, type Layer, type Progress, type Step, type StepName } from '../model/progress.ts';
import { Icon } from './Icon.tsx';

const STEPS: Record<StepName, string> = {
  resolve: 'Find the image',
  download: 'Get its layers',
  boot: 'Start the machine',
  start: 'Start the program',
};

interface StepsProps extends Pick<Progress, 'steps' | 'layers'> {
  readonly now: number;
}

/** The steps of a start with their times, and the layers of the image. */
export function Steps({ steps, layers, now }: StepsProps) {
  return (
    <ol className="steps">
      {(Object.keys(STEPS) as StepName[]).map((name) => (
        <StepItem key={name} label={STEPS[name]} step={steps[name]} now={now}>
          {name === 'download' && <Layers layers={layers} />}
        </StepItem>
      ))}
    </ol>
  );
}

interface StepItemProps {
  readonly label: string;
  readonly step: Step;
  readonly now: number;
  readonly children: React.ReactNode;
}

function StepItem({ label, step, now, children }: StepItemProps) {
  const state = step.ended !== undefined ? 'done' : step.began !== undefined ? 'active' : 'waiting';
  const time = duration(step, now);
  return (
    <li className={`step step-${state}`} aria-current={state === 'active' ? 'step' : undefined}>
      <span className="step-mark">{state === 'done' && <Icon name="check" />}</span>
      <span className="step-label">{label}</span>
      <span className="step-time">{time !== undefined && formatDuration(time)}</span>
      {children}
    </li>
  );
}

function Layers({ layers }: { layers: readonly Layer[] }) {
  if (layers.length === 0) return null;
  return (
    <ul className="layers">
      {layers.map((layer) => (
        <LayerItem key={layer.diffId} layer={layer} />
      ))}
    </ul>
  );
}

function LayerItem({ layer }: { layer: Layer }) {
  const { diffId, size, received } = layer;
  const name = diffId.slice(diffId.indexOf(':') + 1).slice(0, 12);
  return (
    <li className={`layer layer-${layer.state}`}>
      <code>{name}</code>
      <progress max={Math.max(size, 1)} value={size === 0 ? 1 : received} aria-label={`Layer ${name}`} />
      <span className="layer-note">{describe(layer)}</span>
    </li>
  );
}

function describe({ state, size, received, rate }: Layer): string {
  switch (state) {
    case 'waiting':
      return formatBytes(size);
    case 'coming':
      return `${formatBytes(received)} of ${formatBytes(size)}${rate > 0 ? `, ${formatBytes(rate)}/s` : ''}`;
    case 'cached':
      return `${formatBytes(size)}, stored already`;
    case 'verified':
      return `${formatBytes(size)}, verified`;
  }
}
