import { useEffect, useState } from 'react';
import { type ChosenFolder, folderName } from '../model/folders.ts';
import { formatBytes } from '../model/format.ts';
import { canPick, useFolders } from '../stores/folders.ts';
import { Button, IconButton } from './Button.tsx';
import { Field, FieldNote } from './Field.tsx';
import { fieldId } from './focus.ts';
import { Notice } from './Notice.tsx';

const UPLOAD = 'upload-folder';

/** Chooses the folders that the next container shares, and shows those that the browser keeps. */
export function SharedFolders({ error }: { error: string | undefined }) {
  const { chosen, kept, known, work, problem, refresh, pick, reopen, keep, upload } = useFolders();
  const [name, rename] = useState('');
  useEffect(() => void refresh(), [refresh]);
  return (
    <fieldset className="options-folders" aria-describedby={`${fieldId('folders')}-note`}>
      <legend>Shared folders</legend>
      {problem && (
        <Notice tone="problem" title="That did not work">
          {problem}
        </Notice>
      )}
      {chosen.map((folder, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same folder may be chosen twice
        <ChosenRow key={index} folder={folder} number={index + 1} />
      ))}
      <div className="folder-actions">
        {canPick() ? (
          <Button icon="folder" onClick={() => void pick()}>
            Open a folder of this computer
          </Button>
        ) : (
          <Button icon="upload" onClick={() => document.getElementById(UPLOAD)?.click()}>
            Copy a folder of this computer
          </Button>
        )}
        {known.map((handle) => (
          <Button key={handle.name} icon="restart" onClick={() => void reopen(handle)}>
            Open {handle.name} again
          </Button>
        ))}
        <input
          id={UPLOAD}
          type="file"
          hidden
          aria-label="Folder to copy"
          webkitdirectory=""
          onChange={({ target }) => {
            const files = [...(target.files ?? [])];
            if (files.length > 0) void upload(files);
            target.value = '';
          }}
        />
      </div>
      {kept.length > 0 && (
        <ul className="stored-images" aria-label="Folders of this browser">
          {kept.map((item) => (
            <KeptRow key={item.name} {...item} />
          ))}
        </ul>
      )}
      <div className="folder-new">
        <Field
          id="folder-name"
          label="New folder of this browser"
          value={name}
          onChange={rename}
          hint="It stays when containers go, and no other program sees it"
        />
        <Button
          icon="plus"
          disabled={name === ''}
          onClick={() => {
            void keep(name);
            rename('');
          }}
        >
          Add
        </Button>
      </div>
      <p role="status" className="quiet">
        {work}
      </p>
      <FieldNote
        id={`${fieldId('folders')}-note`}
        error={error}
        hint="Containers of this page share them until you remove them here or close the page. No link has them."
      />
    </fieldset>
  );
}

function ChosenRow({ folder, number }: { folder: ChosenFolder; number: number }) {
  const { move, allowWriting, drop } = useFolders();
  const name = folderName(folder);
  return (
    <div className="folder-row">
      <Field
        id={number === 1 ? fieldId('folders') : `folder-path-${number}`}
        label={`${name} is at`}
        value={folder.path}
        onChange={(path) => move(folder, path)}
      />
      <label className="choice">
        <input
          type="checkbox"
          checked={folder.mayWrite}
          onChange={({ target }) => void allowWriting(folder, target.checked)}
        />
        <span>Containers may change it</span>
      </label>
      <IconButton icon="close" label={`Do not share ${name}`} onClick={() => drop(folder)} />
    </div>
  );
}

function KeptRow({ name, usedBytes, inUse }: { name: string; usedBytes: number; inUse: boolean }) {
  const { keep, download, remove } = useFolders();
  const [isAsked, ask] = useState(false);
  return (
    <li className="stored-image">
      <div>
        <p className="item-name">
          {name}
          {inUse && <span className="badge">In use</span>}
        </p>
        <p className="quiet">{formatBytes(usedBytes)} in this browser</p>
      </div>
      <div className="folder-actions">
        <Button icon="plus" onClick={() => void keep(name)}>
          Use {name}
        </Button>
        <IconButton
          icon="download"
          label={`Download ${name} as a zip file`}
          disabled={inUse}
          onClick={() => void download(name)}
        />
        {isAsked ? (
          <Button icon="trash" look="danger" onClick={() => void remove(name)}>
            Delete {name} for good
          </Button>
        ) : (
          <IconButton icon="trash" label={`Delete ${name}`} disabled={inUse} onClick={() => ask(true)} />
        )}
      </div>
    </li>
  );
}
