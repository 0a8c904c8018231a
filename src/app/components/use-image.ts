import { formatReference } from '../../api/references.ts';
import { platformOf } from '../../options/platform.mjs';
import { isReferenceTo } from '../model/local.ts';
import { readPlatform, readReference } from '../model/names.ts';
import { useForm } from '../stores/form.ts';
import { useLibrary } from '../stores/library.ts';

/** Returns what is known about the form's image. */
export function useImage() {
  const image = useForm(({ form }) => form.image);
  const platform = useForm(({ form }) => readPlatform(form.platform));
  const local = useForm((form) => form.local);
  const images = useLibrary((library) => library.images);
  const reference = readReference(image);
  const canonical = reference && formatReference(reference);
  return {
    reference,
    canonical,
    picked: local && isReferenceTo(local, image) ? local : undefined,
    platform,
    stored: images.find(
      (stored) =>
        stored.reference === canonical &&
        (platform ? stored.platform === platformOf(platform) : stored.isDefault),
    ),
  };
}

/** Returns the path of the file that the form names, unless the user has picked it or its image is stored. */
export function useMissingFile(): string | undefined {
  const { reference, picked, stored } = useImage();
  return reference?.scheme === 'file' && !picked && !stored ? reference.path : undefined;
}
