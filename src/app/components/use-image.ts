import { formatReference } from '../../oci/reference.ts';
import { formatBytes } from '../model/format.ts';
import { isReferenceTo } from '../model/local.ts';
import { readReference } from '../model/names.ts';
import { useForm } from '../stores/form.ts';
import { useLibrary } from '../stores/library.ts';

function useImage() {
  const image = useForm(({ form }) => form.image);
  const local = useForm((form) => form.local);
  const images = useLibrary((library) => library.images);
  const reference = readReference(image);
  const canonical = reference && formatReference(reference);
  return {
    reference,
    canonical,
    picked: local && isReferenceTo(local, image) ? local : undefined,
    stored: images.find((stored) => stored.reference === canonical),
  };
}

/** The path of the file that the form names, unless it was picked, or its image is stored since an earlier time. */
export function useMissingFile(): string | undefined {
  const { reference, picked, stored } = useImage();
  return reference?.scheme === 'file' && !picked && !stored ? reference.path : undefined;
}

/** In some words, where the image would come from. */
export function useImageNote(): string {
  const { reference, canonical, picked, stored } = useImage();
  if (picked) return `${picked.name}, the ${picked.kind} you picked`;
  if (stored) return `Stored in this browser, ${formatBytes(stored.size)}`;
  if (reference?.scheme === 'oci') return 'Comes with this page';
  return canonical ? `From the registry: ${canonical}` : '';
}
