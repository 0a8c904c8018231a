import { formatReference, parseReference } from '../oci/reference.ts';
import { browserRoom, browserStore, requestPersistence } from '../storage/browser.ts';
import type { Library } from './host.ts';

export { abandonStore } from '../storage/browser.ts';

/** The stored images of a browser's origin. */
export const browserLibrary: Library = {
  nameOf(image) {
    if (typeof image === 'string') return formatReference(parseReference(image));
    const path = 'files' in image ? image.name : image.file.name;
    return formatReference({ scheme: 'file', path, image: image.image ?? {} });
  },
  // A file was picked in an earlier visit, and cannot be read again.
  prefersStored: (image) =>
    typeof image === 'string' && (!navigator.onLine || parseReference(image).scheme !== 'oci'),
  openStore: browserStore,
  measureRoom: browserRoom,
  persist: requestPersistence,
};
