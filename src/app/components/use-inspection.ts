import { useEffect, useState } from 'react';
import type { ImageOrigin, Inspection } from '../machine/messages.ts';
import { loadMachinery } from '../stores/connection.ts';
import { useForm } from '../stores/form.ts';
import { useImage } from './use-image.ts';

/** The pause in typing after which a reference counts as complete, in ms. */
const PAUSE = 700;

/**
 * Returns what the source of the form's image says about it. Asks no registry about a stored image, and
 * nobody while the user types.
 */
export function useInspection(): Inspection | undefined {
  const { reference, canonical, picked, platform, stored } = useImage();
  const credentials = useForm((state) => state.credentials);
  const [found, setFound] = useState<{ subject: unknown; platform: unknown; inspection: Inspection }>();
  const isAskable = reference?.scheme === 'oci' || (reference?.scheme === 'docker' && navigator.onLine);
  const subject = picked ?? (isAskable && !stored ? canonical : undefined);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the subject stands for the reference
  useEffect(() => {
    if (!reference || subject === undefined) return;
    const abort = new AbortController();
    const origin: ImageOrigin = picked
      ? { kind: 'local', local: picked, image: {} }
      : { kind: 'reference', credentials: credentials.username === '' ? undefined : credentials };
    const inspect = async () => {
      const { inspectImage } = await loadMachinery();
      abort.signal.throwIfAborted();
      const inspection = await inspectImage({ reference, platform, origin }, abort.signal);
      if (!abort.signal.aborted) setFound({ subject, platform, inspection });
    };
    // Without an answer the form says nothing, and the run explains what is wrong.
    const timer = setTimeout(() => inspect().catch(() => {}), PAUSE);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [subject, platform, credentials]);
  return found?.subject === subject && found?.platform === platform ? found?.inspection : undefined;
}
