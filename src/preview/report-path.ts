import type { PathReport } from './messages.ts';
import { readPreviewHost } from './names.ts';

/** Tells the page what its frame shows, because it cannot see that itself. */
export function reportPath(): void {
  // Only a frame of the page is directly below it.
  if (parent === self || parent !== top) return;
  const page = `${location.protocol}//${readPreviewHost(location.host)?.page}`;
  const report = () => {
    const path = location.pathname + location.search + location.hash;
    parent.postMessage({ type: 'linuxrun-path', path } satisfies PathReport, page);
  };
  report();
  for (const event of ['popstate', 'hashchange']) addEventListener(event, report);
  for (const name of ['pushState', 'replaceState'] as const) {
    const change = history[name];
    history[name] = function (...args) {
      change.apply(this, args);
      report();
    };
  }
}
