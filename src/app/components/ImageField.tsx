import { formatBytes } from '../model/format.ts';
import { canonicalName } from '../model/names.ts';
import { isOf, useForm } from '../stores/form.ts';
import { useLibrary } from '../stores/library.ts';
import { FieldNote } from './Field.tsx';
import { fieldId } from './focus.ts';

/** Any image reference, checked as one types. */
export function ImageField({ error }: { error: string | undefined }) {
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
      <FieldNote id={`${id}-note`} error={error} hint={note} />
    </div>
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
  if (reference.startsWith('file:')) return 'On your computer: pick or drop that file or folder';
  if (reference.startsWith('oci:')) return 'Comes with this page';
  return `From the registry: ${reference}`;
}
