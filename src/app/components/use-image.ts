import { formatReference } from '../../oci/reference.ts';
import { isReferenceTo } from '../model/local.ts';
import { readReference } from '../model/names.ts';
import { useForm } from '../stores/form.ts';
import { useLibrary } from '../stores/library.ts';

/** What the form's image is, as far as it is known. */
export function useImage() {
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

/**
 * The path of the file that the form names, unless it was picked, or its image is stored since an earlier
 * time.
 */
export function useMissingFile(): string | undefined {
  const { reference, picked, stored } = useImage();
  return reference?.scheme === 'file' && !picked && !stored ? reference.path : undefined;
}
