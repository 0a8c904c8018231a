import { useRef, useState } from 'react';
import { useTransfers } from '../stores/transfers.ts';
import { Button } from './Button.tsx';
import { Dialog } from './Dialog.tsx';
import { Field } from './Field.tsx';

/** Copies files into the container and out of it. */
export default function FilesDialog({ onClose }: { onClose: () => void }) {
  const { folder, goTo, note, isBusy, hasFailed, upload, download } = useTransfers();
  const picker = useRef<HTMLInputElement>(null);
  const [path, setPath] = useState('');
  return (
    <Dialog title="Files" onClose={onClose}>
      <div className="transfer">
        <Field id="folder" label="Folder in the container" value={folder} onChange={goTo} />
        <Button icon="upload" look="plain" disabled={isBusy} onClick={() => picker.current?.click()}>
          Upload files
        </Button>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-label="Files to upload"
          onChange={({ target }) => {
            void upload([...(target.files ?? [])]);
            target.value = '';
          }}
        />
      </div>
      <form
        className="transfer"
        onSubmit={(event) => {
          event.preventDefault();
          void download(path);
        }}
      >
        <Field
          id="path"
          label="File in the container"
          value={path}
          onChange={setPath}
          placeholder="/etc/os-release"
        />
        <Button type="submit" icon="download" look="plain" disabled={isBusy || path === ''}>
          Download
        </Button>
      </form>
      <p className={hasFailed ? 'field-note field-error' : 'field-note'} role="status">
        {note}
      </p>
    </Dialog>
  );
}
