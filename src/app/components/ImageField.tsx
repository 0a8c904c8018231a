import type { ReactNode } from 'react';
import { formatBytes } from '../model/format.ts';
import { canonicalName } from '../model/names.ts';
import { fileName, isOf, useForm } from '../stores/form.ts';
import { useLibrary } from '../stores/library.ts';
import { FieldNote } from './Field.tsx';
import { fieldId } from './focus.ts';
import { askFor } from './LocalImageButtons.tsx';

interface ImageFieldProps {
  readonly error: string | undefined;
  /** The path of a file that has to be picked first. */
  readonly missingFile: string | undefined;
}

/** Any image reference, checked as one types. */
export function ImageField({ error, missingFile }: ImageFieldProps) {
  const id = fieldId('image');
  const { form, change } = useForm();
  const note = useImageNote();
  return (
    <div className="field image-field">
      <label htmlFor={id}>Image</label>
      <input
        id={id}
        value={form.image}
        onChange={({ target }) => change({ image: target.value })}
        placeholder="alpine, ghcr.io/owner/name:tag, …"
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-note`}
        autoComplete="off"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
      />
      <FieldNote
        id={`${id}-note`}
        error={error}
        hint={missingFile ? <FileRequest path={missingFile} /> : note}
      />
    </div>
  );
}

/** No page may open a file by its name: its owner has to. */
function FileRequest({ path }: { path: string }): ReactNode {
  return (
    <>
      It is on a computer, and only you can open it:{' '}
      <button type="button" className="button-link" onClick={() => askFor('file')}>
        pick {fileName(path)}
      </button>{' '}
      or drop it here
    </>
  );
}

/** Where the image would come from. */
function useImageNote(): string {
  const { form, local } = useForm();
  const images = useLibrary((library) => library.images);
  const reference = canonicalName(form.image);
  if (!reference) return '';
  const stored = images.find((image) => image.reference === reference);
  if (local && isOf(form, local)) return `${local.name}, the ${local.kind} you picked`;
  if (stored) return `Stored in this browser, ${formatBytes(stored.size)}`;
  if (reference.startsWith('oci:')) return 'Comes with this page';
  return `From the registry: ${reference}`;
}
