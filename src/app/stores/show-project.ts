import type { ProjectFiles } from '../machine/messages.ts';
import { join } from '../model/tree.ts';
import { useEditor } from './editor.ts';
import { useFiles } from './files.ts';

/**
 * Opens the files of a project whose container has started, with the terminal in front on a small screen. The
 * focus stays where it is, because the user may be typing.
 */
export async function showProject(project: ProjectFiles | undefined): Promise<void> {
  const [first] = project?.open ?? [];
  if (!project || first === undefined) return;
  const { restore, isWrapped } = useEditor.getState();
  const { show, reveal } = useFiles.getState();
  await show();
  await reveal(join(project.folder, first));
  const open = project.open.map((path) => ({ path: join(project.folder, path), unsaved: null }));
  restore({ open, active: join(project.folder, first), isInFront: false, isWrapped });
}
