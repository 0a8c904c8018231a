import { formatAge } from '../model/format.ts';
import { useLibrary } from '../stores/library.ts';
import { useImage } from './use-image.ts';

/** Says that a container of the form's image begins where the user saved it, and offers to end that. */
export function StartNote() {
  const { canonical } = useImage();
  const { starts, removeStart } = useLibrary();
  const start = starts.find(({ image }) => image === canonical);
  if (!start) return null;
  return (
    <p className="start-note">
      With the same options it begins where you saved it {formatAge(start.created.getTime(), Date.now())}.{' '}
      <button type="button" className="button-link" onClick={() => void removeStart(start.id)}>
        Begin anew
      </button>
    </p>
  );
}
