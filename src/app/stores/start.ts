import type { CatalogueEntry } from '../model/catalogue.ts';
import { checkForm } from '../model/check.ts';
import { DEFAULT_FORM } from '../model/form.ts';
import { writeLink } from '../model/link.ts';
import { isReferenceTo } from '../model/local.ts';
import { writeAddress } from './address.ts';
import { useForm } from './form.ts';
import { useSession } from './session.ts';

/** Runs the form if it is valid. Otherwise its fields show their errors. */
export function runForm(): void {
  const { form, local, credentials, linkErrors, wantsNewest, wantNewest } = useForm.getState();
  const { wish } = checkForm(form);
  if (!wish || Object.keys(linkErrors).length > 0) return;
  writeAddress(form);
  useForm.getState().report(undefined);
  wantNewest(false);
  void useSession.getState().start({
    wish,
    link: writeLink(form, { withValues: false }),
    local: local && isReferenceTo(local, form.image) ? local : undefined,
    wantsNewest,
    credentials: credentials.username === '' ? undefined : credentials,
  });
}

/** Runs an image of the catalogue with nothing but its own options. */
export function runEntry(entry: CatalogueEntry): void {
  const { change, choose } = useForm.getState();
  change(DEFAULT_FORM);
  choose(entry);
  runForm();
}

/** Runs another image with the same options, after a run that failed. */
export async function runInstead(image: string): Promise<void> {
  await useSession.getState().leave();
  useForm.getState().change({ image });
  runForm();
}

/** Goes from an ended or failed session back to the form, and shows the problem at its field. */
export async function backToForm(): Promise<void> {
  const { problem, leave } = useSession.getState();
  useForm.getState().report(problem);
  await leave();
}
