import { useLibrary } from '../stores/library.ts';

/** The way to the stored images, for whoever has to make room. */
export function StorageLink() {
  const show = useLibrary((library) => library.show);
  return (
    <button type="button" className="button-link" onClick={() => show(true)}>
      Show stored images
    </button>
  );
}
