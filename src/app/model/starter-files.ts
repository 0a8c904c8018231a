/** The files of all starters, apart from the form, which needs only their names. */
import type { NewFile } from '../../api/kept.ts';
import { type Project, readProject } from './project.ts';

const CONTENTS = import.meta.glob<string>('../starters/**', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** @param id the name of its folder */
export function starterProject(id: string): Project {
  const folder = `../starters/${id}/`;
  const files = Object.entries(CONTENTS).filter(([path]) => path.startsWith(folder));
  return readProject(files.map(([path, text]) => fileOf(path.slice(folder.length), text)));
}

function fileOf(path: string, text: string): NewFile {
  return { path, content: new TextEncoder().encode(text), isExecutable: text.startsWith('#!') };
}
