import { useLibrary } from '../stores/library.ts';

/** Opens the list of stored images, for making room. */
export function StorageLink() {
  const show = useLibrary((library) => library.show);
  return (
    <button type="button" className="button-link" onClick={() => show(true)}>
      Show stored images
    </button>
  );
}
