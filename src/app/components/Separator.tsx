import { type KeyboardEvent, type PointerEvent, useRef } from 'react';
import { type Division, LEAST, MOST, useLayout } from '../stores/layout.ts';

interface SeparatorProps {
  readonly division: Division;
  /** The name of the pane whose size it sets. */
  readonly label: string;
  /** The id of that pane. */
  readonly controls: string;
  /** Whether the panes are above each other. */
  readonly isStacked?: boolean;
  /** Whether the pane comes after the separator on the screen. */
  readonly isReversed?: boolean;
}

/** By how much a key moves it, in percent. */
const STEP = 2;

/** Divides the room of two panes: ARIA's window splitter. */
export function Separator({
  division,
  label,
  controls,
  isStacked = false,
  isReversed = false,
}: SeparatorProps) {
  const element = useRef<HTMLDivElement>(null);
  const size = useLayout(({ sizes }) => sizes[division]);
  const resize = (size: number) => useLayout.getState().resize(division, size);

  const onPointerMove = (event: PointerEvent) => {
    if (!element.current?.hasPointerCapture(event.pointerId)) return;
    const box = element.current.parentElement?.getBoundingClientRect();
    if (!box) return;
    const part = isStacked ? (event.clientY - box.top) / box.height : (event.clientX - box.left) / box.width;
    resize(100 * (isReversed ? 1 - part : part));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const next = sizeFor(event.key, size, isStacked, isReversed);
    if (next === undefined) return;
    event.preventDefault();
    resize(next);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a line in a text cannot be moved
    <div
      ref={element}
      role="separator"
      className="separator"
      tabIndex={0}
      aria-label={label}
      aria-controls={controls}
      aria-orientation={isStacked ? 'horizontal' : 'vertical'}
      aria-valuenow={Math.round(size)}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      onPointerDown={({ pointerId, button }) => {
        if (button === 0) element.current?.setPointerCapture(pointerId);
      }}
      onPointerMove={onPointerMove}
      onKeyDown={onKeyDown}
    />
  );
}

/** Returns the size that a key leads to. */
function sizeFor(key: string, size: number, isStacked: boolean, isReversed: boolean): number | undefined {
  const [back, forward] = isStacked ? ['ArrowUp', 'ArrowDown'] : ['ArrowLeft', 'ArrowRight'];
  const step = isReversed ? -STEP : STEP;
  if (key === back) return size - step;
  if (key === forward) return size + step;
  if (key === 'Home') return LEAST;
  if (key === 'End') return MOST;
  return undefined;
}
