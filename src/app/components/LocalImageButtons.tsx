import type { LocalImage } from '../machine/messages.ts';
import { localFile, localFolder } from '../model/local.ts';
import { useForm } from '../stores/form.ts';
import { useOpening } from '../stores/opening.ts';
import { useProject } from '../stores/project.ts';
import { Button } from './Button.tsx';

const PICKERS = { file: 'pick-file', folder: 'pick-folder' };

/** Lets the user pick an archive or the folder of a layout. */
export function askFor(kind: keyof typeof PICKERS): void {
  document.getElementById(PICKERS[kind])?.click();
}

/** Takes an image or a project for the form, or offers a saved session. */
export async function openLocal(local: LocalImage): Promise<void> {
  if (local.kind === 'file' && (await useOpening.getState().take(local.file))) return;
  const { take, look } = useProject.getState();
  if (await take(local)) return;
  useForm.getState().pick(local);
  void look(local);
}

/** Opens an archive or the folder of an image layout. Both can also be dropped on the page. */
export function LocalImageButtons() {
  return (
    <>
      <Button icon="file" onClick={() => askFor('file')}>
        Open a file
      </Button>
      <Button icon="folder" onClick={() => askFor('folder')}>
        Open a folder
      </Button>
      <input
        id={PICKERS.file}
        type="file"
        hidden
        aria-label="Image archive, project or saved session"
        accept=".linuxrun,.zip,.tar,.gz,.tgz,.zst,.xz,.txz,.bz2,.tbz2"
        onChange={({ target }) => {
          const [picked] = target.files ?? [];
          if (picked) void openLocal(localFile(picked));
          target.value = '';
        }}
      />
      <input
        id={PICKERS.folder}
        type="file"
        hidden
        aria-label="Folder of a project or an image layout"
        webkitdirectory=""
        onChange={({ target }) => {
          const files = [...(target.files ?? [])];
          if (files.length > 0) void openLocal(localFolder(files));
          target.value = '';
        }}
      />
    </>
  );
}
