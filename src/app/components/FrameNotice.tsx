import { Notice } from './Notice.tsx';

/** Stands in place of the whole page in a frame, where others could lead the clicks of its user. */
export function FrameNotice() {
  return (
    <main className="column">
      <Notice tone="problem" title="This page does not run in a frame">
        <a href={location.href} target="_blank" rel="noopener noreferrer">
          Open it in a tab of its own
        </a>
        . Other pages can show a terminal of it, by <code>embed=1</code> in its address.
      </Notice>
    </main>
  );
}
