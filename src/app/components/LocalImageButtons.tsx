import { useRef } from 'react';
import { localFile, localFolder } from '../model/local.ts';
import { useForm } from '../stores/form.ts';
import { Icon } from './Icon.tsx';

/** Opens an archive or the folder of an image layout; both can be dropped on the page as well. */
export function LocalImageButtons() {
  const pick = useForm((state) => state.pick);
  const file = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" className="button button-quiet" onClick={() => file.current?.click()}>
        <Icon name="file" />
        Open a file
      </button>
      <button type="button" className="button button-quiet" onClick={() => folder.current?.click()}>
        <Icon name="folder" />
        Open a folder
      </button>
      <input
        ref={file}
        type="file"
        hidden
        aria-label="Image archive"
        accept=".tar,.gz,.tgz,.zst"
        onChange={({ target }) => {
          const [picked] = target.files ?? [];
          if (picked) pick(localFile(picked));
          target.value = '';
        }}
      />
      <input
        ref={folder}
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
