import type { ReactNode } from 'react';
import { isEmulated, platformOf } from '../../options/platform.mjs';
import type { Inspection } from '../machine/messages.ts';
import { formatBytes } from '../model/format.ts';
import { sentence } from '../model/problem.ts';
import { useForm } from '../stores/form.ts';
import { Choices } from './Choices.tsx';
import { useImage } from './use-image.ts';
import { useInspection } from './use-inspection.ts';

/** Shows where the image comes from, what its source says about it, and whether its programs are emulated. */
export function Origin() {
  const { stored } = useImage();
  const inspection = useInspection();
  const found = inspection?.failure ? undefined : inspection?.config.architecture;
  const platform = stored?.platform ?? (found && platformOf(found));
  return (
    <>
      <Place inspection={inspection} />
      {platform !== undefined && isEmulated(platform) && (
        <strong>{` For ${platform}: its programs are emulated, about ten times slower.`}</strong>
      )}
    </>
  );
}

function Place({ inspection }: { inspection: Inspection | undefined }): ReactNode {
  const { reference, canonical, picked, stored } = useImage();
  const { wantsNewest, wantNewest } = useForm();
  if (picked) {
    return (
      <>
        {`${picked.name}, the ${picked.kind} you picked. `}
        {inspection?.failure && <Failed {...inspection.failure} />}
      </>
    );
  }
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
  return canonical && <FromRegistry canonical={canonical} inspection={inspection} />;
}

interface FromRegistryProps {
  readonly canonical: string;
  readonly inspection: Inspection | undefined;
}

function FromRegistry({ canonical, inspection }: FromRegistryProps): ReactNode {
  if (inspection?.failure) return <Failed {...inspection.failure} />;
  const where = `From the registry: ${canonical}`;
  if (!inspection) return where;
  const { size, platforms } = inspection;
  return `${where}. ${formatBytes(size)} to fetch. Made for ${platforms.map(shortPlatform).join(', ')}.`;
}

function shortPlatform(platform: string): string {
  return platform.replace(/^linux\//, '');
}

/** Says why the image cannot run as it is named. An archive of several images is not wrong, only unclear. */
function Failed({ message, choices = [] }: Extract<Inspection['failure'], object>): ReactNode {
  const canonical = useImage().canonical;
  const change = useForm((state) => state.change);
  return (
    <>
      {choices.length < 2 && `${sentence(message)} `}
      <Choices choices={choices} chosen={canonical} onChoose={(image) => change({ image })} />
    </>
  );
}
