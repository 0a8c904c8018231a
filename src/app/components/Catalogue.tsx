import type { ReactNode } from 'react';
import { type CatalogueEntry, DEMOS, PUBLIC_IMAGES } from '../model/catalogue.ts';
import { canonicalName } from '../model/names.ts';
import { useForm } from '../stores/form.ts';
import { useLibrary } from '../stores/library.ts';
import { runEntry } from '../stores/start.ts';
import { Button } from './Button.tsx';
import { showForm } from './focus.ts';
import { askFor } from './LocalImageButtons.tsx';

/** Images to start with. */
export function Catalogue({ canRun }: { canRun: boolean }) {
  return (
    <>
      <Shelf
        title="Ready at once"
        note="These come with the page."
        entries={DEMOS}
        canRun={canRun}
        badge="Instant"
      >
        <OwnImageItem />
      </Shelf>
      <Shelf
        title="From Docker Hub"
        note="Published for riscv64, the processor of this machine. Fetched once, then stored in this browser."
        entries={PUBLIC_IMAGES}
        canRun={canRun}
      />
    </>
  );
}

interface ShelfProps {
  readonly title: string;
  readonly note: string;
  readonly entries: readonly CatalogueEntry[];
  readonly canRun: boolean;
  readonly badge?: string;
  /** The text after the entries. */
  readonly children?: ReactNode;
}

function Shelf({ title, note, entries, canRun, badge, children }: ShelfProps) {
  return (
    <section className="shelf">
      <h2>{title}</h2>
      <p className="quiet">{note}</p>
      <ul className="shelf-items">
        {entries.map((entry) => (
          <CatalogueItem key={entry.image} entry={entry} canRun={canRun} badge={badge} />
        ))}
        {children}
      </ul>
    </section>
  );
}

interface CatalogueItemProps {
  readonly entry: CatalogueEntry;
  readonly canRun: boolean;
  readonly badge: string | undefined;
}

/** A card that fills in the form, with a button that runs it at once. */
function CatalogueItem({ entry, canRun, badge }: CatalogueItemProps) {
  const chosen = useForm(({ form }) => form.image === entry.image);
  const choose = useForm((state) => state.choose);
  const reference = canonicalName(entry.image);
  const isStored = useLibrary(({ images }) => images.some((image) => image.reference === reference));
  const label = badge ?? (isStored ? 'Stored' : undefined);
  return (
    <li className="item item-runs" data-chosen={chosen || undefined}>
      <button
        type="button"
        className="item-choose"
        aria-pressed={chosen}
        onClick={() => {
          choose(entry);
          showForm();
        }}
      >
        <span className="item-name">
          {entry.name}
          {label && <span className="badge">{label}</span>}
        </span>
        <span className="item-purpose">{entry.purpose}</span>
        {!badge && <code>{entry.image}</code>}
      </button>
      <Button
        icon="run"
        look="plain"
        aria-label={`Run ${entry.name}`}
        disabled={!canRun}
        onClick={() => runEntry(entry)}
      >
        Run
      </Button>
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
