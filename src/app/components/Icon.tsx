/** Strokes in a square of 16 by 16. */
const PATHS = {
  run: 'M5 3.5v9l7-4.5z',
  stop: 'M4.5 4.5h7v7h-7z',
  suspend: 'M5.5 4v8M10.5 4v8',
  keep: 'M4.5 2.5h7v11L8 10.5l-3.5 3z',
  more: 'M3.5 8h.1M8 8h.1M12.4 8h.1',
  copy: 'M6 6h7.5v7.5H6zM3 10H2.5V2.5H10V3',
  restart: 'M12.5 8a4.5 4.5 0 1 1-1.4-3.3M12.5 2.5v3h-3',
  share: 'M6.5 9.5l3-3M7 4.5l1.2-1.2a2.7 2.7 0 0 1 4 4L11 8.5M9 11.5l-1.2 1.2a2.7 2.7 0 0 1-4-4L5 7.5',
  storage:
    'M3 4.5c0-1 2.2-1.8 5-1.8s5 .8 5 1.8v7c0 1-2.2 1.8-5 1.8s-5-.8-5-1.8zM3 4.5c0 1 2.2 1.8 5 1.8s5-.8 5-1.8M3 8c0 1 2.2 1.8 5 1.8S13 9 13 8',
  light:
    'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
  dark: 'M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z',
  system: 'M2.5 3.5h11v7.5h-11zM6 13.5h4M8 11v2.5',
  plus: 'M8 3.5v9M3.5 8h9',
  close: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  upload: 'M8 10.5v-7M5 6l3-3 3 3M3 10.5v2.5h10v-2.5',
  download: 'M8 3v7M5 7.5l3 3 3-3M3 10.5v2.5h10v-2.5',
  find: 'M7 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8M10 10l3.5 3.5',
  file: 'M4 2.5h5l3 3v8H4zM9 2.5v3h3',
  newFile: 'M8.5 13.5H4v-11h5l3 3v3M9 2.5v3h3M11.5 10v5M9 12.5h5',
  newFolder: 'M8.5 12.5h-6v-8.5h4l1.5 1.5h5.5v3M11.5 10v5M9 12.5h5',
  move: 'M2.5 8h8M7.5 5l3 3-3 3M13.5 3.5v9',
  save: 'M2.5 2.5h8.5l2.5 2.5v8.5h-11zM5 2.5v3.5h5v-3.5M5 13.5v-4h6v4',
  wrap: 'M2.5 4h11M2.5 8h8.5a2 2 0 0 1 0 4h-3M9.5 10.5L8 12l1.5 1.5M2.5 12h3',
  split: 'M2.5 3h11v10h-11zM8 3v10',
  rename: 'M3 13l.6-2.6 7-7 2 2-7 7zM9 5l2 2',
  next: 'M6 4l4 4-4 4',
  folder: 'M2.5 4h4l1.5 1.5h5.5v7h-11z',
  options: 'M2.5 5h6M11.5 5h2M2.5 11h2M7.5 11h6M10 3.5v3M6 9.5v3',
  down: 'M4 6l4 4 4-4',
  up: 'M4 10l4-4 4 4',
  check: 'M3.5 8.5l3 3 6-7',
  alert: 'M8 2.5l6 11H2zM8 6.5v3.5M8 11.8v.2',
  trash: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.5 9h6l.5-9',
  help: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M6.2 6.4a1.8 1.8 0 1 1 2.7 1.6c-.6.3-.9.7-.9 1.3M8 11.4v.1',
  expand: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  shrink: 'M6 2.5V6H2.5M13.5 6H10V2.5M10 13.5V10h3.5M2.5 10H6v3.5',
  terminal: 'M3.5 4.5l3.5 3.5-3.5 3.5M8.5 11.5h4',
  preview: 'M2.5 3.5h11v9h-11zM2.5 6.5h11',
  newTab: 'M9.5 2.5h4v4M13.5 2.5L7.5 8.5M11.5 9v4h-9v-9h4',
  back: 'M9.5 3.5L5 8l4.5 4.5',
} as const;

export type IconName = keyof typeof PATHS;

/** A picture beside a text with the same meaning. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
