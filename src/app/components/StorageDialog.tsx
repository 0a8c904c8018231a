import { useEffect, useState } from 'react';
import type { SavedStart, StoredImage } from '../../api/images.ts';
import { isEmulated } from '../../options/platform.mjs';
import { quoteWord } from '../../options/words.mjs';
import type { KeptItem } from '../machine/messages.ts';
import { count, formatAge, formatBytes } from '../model/format.ts';
import { shortName } from '../model/names.ts';
import { useKept } from '../stores/kept.ts';
import { useLibrary } from '../stores/library.ts';
import { Button, IconButton } from './Button.tsx';
import { Dialog } from './Dialog.tsx';
import KeptDialog from './KeptDialog.tsx';
import { NothingKeptNotice } from './NothingKeptNotice.tsx';
import { Notice } from './Notice.tsx';

/** Shows and deletes what is in the browser's storage. */
export default function StorageDialog({ onClose }: { onClose: () => void }) {
  const { images, starts, storage, problem, refresh, removeAll } = useLibrary();
  const kept = useKept((state) => state.items);
  const [asked, ask] = useState<KeptItem>();
  useEffect(() => {
    void refresh();
    void useKept.getState().refresh();
  }, [refresh]);
  return (
    <Dialog title="Storage" onClose={onClose}>
      {problem && (
        <Notice tone="problem" title="That did not work">
          {problem}
        </Notice>
      )}
      <NothingKeptNotice />
      <Quota />
      {kept.length > 0 && (
        <>
          <h3>Containers</h3>
          <p className="quiet">Only you delete them: this page never does, however full the storage is.</p>
          <ul className="stored-images">
            {kept.map((item) => (
              <KeptStorageItem key={item.name} item={item} ask={ask} />
            ))}
          </ul>
        </>
      )}
      {starts.length > 0 && (
        <>
          <h3>Saved starts</h3>
          <p className="quiet">New containers of these images begin here.</p>
          <ul className="stored-images">
            {starts.map((start) => (
              <StartItem key={start.id} start={start} />
            ))}
          </ul>
        </>
      )}
      {kept.length + starts.length > 0 && <h3>Images</h3>}
      {images.length > 0 ? (
        <ul className="stored-images">
          {images.map((image) => (
            <StoredImageItem key={`${image.reference} ${image.platform}`} image={image} />
          ))}
        </ul>
      ) : (
        storage?.isKept !== false && (
          <p className="quiet">
            No image is stored. The browser stores each image that you run, so that it starts at once the next
            time.
          </p>
        )
      )}
      {images.length > 0 && (
        <Button icon="trash" look="danger" onClick={() => void removeAll()}>
          Delete all images
        </Button>
      )}
      {asked && <KeptDialog question={{ kind: 'delete', item: asked }} onClose={() => ask(undefined)} />}
    </Dialog>
  );
}

function KeptStorageItem({ item, ask }: { item: KeptItem; ask: (item: KeptItem) => void }) {
  const { name, image, usedBytes, lastUsed, status } = item;
  return (
    <li className="stored-image">
      <div>
        <p className="item-name">
          {name}
          {status === 'running' && <span className="badge">In use</span>}
        </p>
        <p className="quiet">
          {formatBytes(usedBytes)}, {shortName(image)}, used {formatAge(lastUsed, Date.now())}
        </p>
      </div>
      <IconButton
        icon="trash"
        label={`Delete the container ${name}`}
        disabled={status === 'running'}
        onClick={() => ask(item)}
      />
    </li>
  );
}

function StartItem({ start }: { start: SavedStart }) {
  const removeStart = useLibrary((library) => library.removeStart);
  const { id, image, command, usedBytes, created } = start;
  const name = shortName(image);
  return (
    <li className="stored-image">
      <div>
        <p className="item-name">{name}</p>
        <p className="quiet">
          {formatBytes(usedBytes)}, saved {formatAge(created.getTime(), Date.now())}
          {command.length > 0 && (
            <>
              {' in '}
              <code>{command.map(quoteWord).join(' ')}</code>
            </>
          )}
        </p>
      </div>
      <IconButton icon="trash" label={`Delete the start of ${name}`} onClick={() => void removeStart(id)} />
    </li>
  );
}

function Quota() {
  const { storage, starts } = useLibrary();
  const kept = useKept((state) => state.items);
  if (!storage?.isKept) return null;
  const { freeBytes, isPersistent } = storage;
  const usedBytes = [...kept, ...starts].reduce((sum, { usedBytes }) => sum + usedBytes, storage.usedBytes);
  return (
    <div className="quota">
      {freeBytes === undefined ? (
        <p>{formatBytes(usedBytes)} used. The browser does not say how much it grants.</p>
      ) : (
        <QuotaMeter usedBytes={usedBytes} available={usedBytes + freeBytes} />
      )}
      <Persistence isPersistent={isPersistent} />
    </div>
  );
}

function QuotaMeter({ usedBytes, available }: { usedBytes: number; available: number }) {
  return (
    <>
      <label htmlFor="quota">
        {formatBytes(usedBytes)} used of the {formatBytes(available)} that the browser grants
      </label>
      <meter id="quota" min={0} max={available} high={available * 0.9} value={usedBytes} />
    </>
  );
}

/** Says whether the browser keeps the storage. Some browsers ask the user about that. */
function Persistence({ isPersistent }: { isPersistent: boolean }) {
  const { isAsking, persist } = useLibrary();
  const canAsk = navigator.storage?.persist !== undefined;
  if (isPersistent) return <p className="quiet">The browser keeps all of it until you delete it.</p>;
  return (
    <p className="quiet" role="status">
      The browser may delete it when the disk gets full.{' '}
      {isAsking && 'It asks you whether to keep it: answer the question in its own window.'}
      {canAsk && !isAsking && (
        <button type="button" className="button-link" onClick={() => void persist()}>
          Ask it to keep it
        </button>
      )}
    </p>
  );
}

function StoredImageItem({ image }: { image: StoredImage }) {
  const remove = useLibrary((library) => library.remove);
  const { reference, platform, size, ownSize, lastUsed, inUse, layers } = image;
  const name = shortName(reference);
  const shared = size === ownSize ? '' : `, ${formatBytes(size - ownSize)} of it shared`;
  return (
    <li className="stored-image">
      <div>
        <p className="item-name" title={reference}>
          {name}
          {inUse && <span className="badge">In use</span>}
        </p>
        <p className="quiet">
          {isEmulated(platform) && `${platform}, `}
          {formatBytes(size)} in {count(layers.length, 'layer')}
          {shared}, used {formatAge(lastUsed.getTime(), Date.now())}
        </p>
      </div>
      <IconButton
        icon="trash"
        label={`Delete ${name}`}
        disabled={inUse}
        onClick={() => void remove(reference, platform)}
      />
    </li>
  );
}
