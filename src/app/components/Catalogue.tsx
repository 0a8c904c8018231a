import type { ReactNode } from 'react';
import { type CatalogueEntry, DEMOS, PUBLIC_IMAGES } from '../model/catalogue.ts';
import { canonicalName } from '../model/names.ts';
import { useForm } from '../stores/form.ts';
import { useLibrary } from '../stores/library.ts';
import { askFor } from './LocalImageButtons.tsx';

/** Images to start with. */
export function Catalogue() {
  return (
    <>
      <Shelf title="Ready at once" note="These come with the page." entries={DEMOS} badge="Instant">
        <OwnImageItem />
      </Shelf>
      <Shelf
        title="From Docker Hub"
        note="Published for riscv64, the processor of this machine. Fetched once, then stored in this browser. There is no network in the containers yet."
        entries={PUBLIC_IMAGES}
      />
    </>
  );
}

interface ShelfProps {
  readonly title: string;
  readonly note: string;
  readonly entries: readonly CatalogueEntry[];
  readonly badge?: string;
  /** The text after the entries. */
  readonly children?: ReactNode;
}

function Shelf({ title, note, entries, badge, children }: ShelfProps) {
  return (
    <section className="shelf">
      <h2>{title}</h2>
      <p className="quiet">{note}</p>
      <ul className="shelf-items">
        {entries.map((entry) => (
          <CatalogueItem key={entry.image} entry={entry} badge={badge} />
        ))}
        {children}
      </ul>
    </section>
  );
}

function CatalogueItem({ entry, badge }: { entry: CatalogueEntry; badge: string | undefined }) {
  const chosen = useForm(({ form }) => form.image === entry.image);
  const choose = useForm((state) => state.choose);
  const reference = canonicalName(entry.image);
  const isStored = useLibrary(({ images }) => images.some((image) => image.reference === reference));
  const label = badge ?? (isStored ? 'Stored' : undefined);
  return (
    <li>
      <button type="button" className="item" aria-pressed={chosen} onClick={() => choose(entry)}>
        <span className="item-name">
          {entry.name}
          {label && <span className="badge">{label}</span>}
        </span>
        <span className="item-purpose">{entry.purpose}</span>
        {!badge && <code>{entry.image}</code>}
      </button>
    </li>
  );
}

function OwnImageItem() {
  return (
    <li>
      <button type="button" className="item item-own" onClick={() => askFor('file')}>
        <span className="item-name">Your own</span>
        <span className="item-purpose">Drop an archive of docker save, or an OCI layout, on this page</span>
      </button>
    </li>
  );
}
