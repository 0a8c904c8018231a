import { normaliseMountPath } from './mount-path.mjs';
import { OptionError } from './option-error.mjs';

/**
 * A folder of this computer, and its place in a container.
 * @typedef {{ readonly source: string, readonly path: string, readonly readOnly: boolean }} FolderMount
 */

/** The path of a container has no colon; that of a folder may have several, as on Windows. */
const MOUNT = /^(?<source>.+?):(?<path>\/[^:]*)(?::(?<mode>[^:/\\]*))?$/s;
const FORM = 'DIR:/path, or DIR:/path:ro to read only';

/**
 * A folder of this computer for a container, as `docker run -v` names it.
 * @param {string} text such as `./src:/src:ro`
 * @returns {FolderMount}
 * @throws OptionError
 */
export function parseMount(text) {
  const { source, path, mode = 'rw' } = MOUNT.exec(text)?.groups ?? {};
  if (source === undefined || path === undefined)
    throw new OptionError(
      `"${text}" names no shared folder: write ${FORM}, with an absolute path in the container`,
    );
  if (mode !== 'ro' && mode !== 'rw')
    throw new OptionError(`"${mode}" is no option of a shared folder: write ${FORM}`);
  if (!/[/\\]/.test(source) && source !== '.' && source !== '..')
    throw new OptionError(
      `there are no volumes with names: for the folder, write ./${source} instead of ${source}`,
    );
  return { source, path: normaliseMountPath(path, 'a shared folder'), readOnly: mode === 'ro' };
}

/**
 * Reads `DIR:/path,DIR:/path:ro`. A backslash before a comma or a backslash makes that part of the name.
 * @param {string} text
 * @returns {FolderMount[]}
 * @throws OptionError
 */
export function parseMounts(text) {
  const parts = [...text.matchAll(/(?:\\[\\,]|[^,])+/gs)].map(([part]) => part.replace(/\\([\\,])/g, '$1'));
  return parts.map(parseMount);
}
