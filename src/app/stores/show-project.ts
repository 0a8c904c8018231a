import type { ProjectFiles } from '../machine/messages.ts';
import { join } from '../model/tree.ts';
import { useEditor } from './editor.ts';
import { useFiles } from './files.ts';

/** Opens the files of a project whose container has started, with the terminal in front on a small screen. */
export async function showProject(project: ProjectFiles | undefined): Promise<void> {
  const [first] = project?.open ?? [];
  if (!project || first === undefined) return;
  const { open, activate, setInFront } = useEditor.getState();
  const { show, reveal } = useFiles.getState();
  await show();
  await reveal(join(project.folder, first));
  for (const path of project.open) await open(join(project.folder, path));
  activate(join(project.folder, first));
  setInFront(false);
}
