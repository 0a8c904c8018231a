import { formatBytes } from '../model/format.ts';
import { useForm } from '../stores/form.ts';
import { useImage } from './use-image.ts';

/** Shows where the image comes from. */
export function Origin() {
  const { reference, canonical, picked, stored } = useImage();
  const { wantsNewest, wantNewest } = useForm();
  if (picked) return `${picked.name}, the ${picked.kind} you picked`;
  if (stored && reference?.scheme === 'docker') {
    return (
      <>
        {`Stored in this browser, ${formatBytes(stored.size)}. `}
        <button
          type="button"
          className="button-link"
          aria-pressed={wantsNewest}
          onClick={() => wantNewest(!wantsNewest)}
        >
          {wantsNewest ? 'Its registry will be asked for a newer one' : 'Look for a newer one'}
        </button>
      </>
    );
  }
  if (stored) return `Stored in this browser, ${formatBytes(stored.size)}`;
  if (reference?.scheme === 'oci') return 'Comes with this page';
  return canonical && `From the registry: ${canonical}`;
}
