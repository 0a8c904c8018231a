import { localFile, localFolder } from '../model/local.ts';
import { useForm } from '../stores/form.ts';
import { Button } from './Button.tsx';

const PICKERS = { file: 'pick-file', folder: 'pick-folder' };

/** Lets the user pick an archive or the folder of a layout. */
export function askFor(kind: keyof typeof PICKERS): void {
  document.getElementById(PICKERS[kind])?.click();
}

/** Opens an archive or the folder of an image layout. Both can also be dropped on the page. */
export function LocalImageButtons() {
  const pick = useForm((state) => state.pick);
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
        aria-label="Image archive"
        accept=".tar,.gz,.tgz,.zst,.xz,.txz,.bz2,.tbz2"
        onChange={({ target }) => {
          const [picked] = target.files ?? [];
          if (picked) pick(localFile(picked));
          target.value = '';
        }}
      />
      <input
        id={PICKERS.folder}
        type="file"
        hidden
        aria-label="Image layout folder"
        webkitdirectory=""
        onChange={({ target }) => {
          const files = [...(target.files ?? [])];
          if (files.length > 0) pick(localFolder(files));
          target.value = '';
        }}
      />
    </>
  );
}
