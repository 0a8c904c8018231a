import { newPreviewId } from '../../preview/names.ts';
import type { CatalogueEntry } from '../model/catalogue.ts';
import { checkForm } from '../model/check.ts';
import { DEFAULT_FORM } from '../model/form.ts';
import { writeLink } from '../model/link.ts';
import { isReferenceTo } from '../model/local.ts';
import { keepQuery } from './address.ts';
import { useForm } from './form.ts';
import { enterRun, stepBack, stepForward, watchHistory } from './history.ts';
import { useLeaving } from './leaving.ts';
import { readRelay, useRelay } from './relay.ts';
import { type Run, useSession } from './session.ts';

/** Runs the form if it is valid. Otherwise its fields show their errors. */
export function runForm(): void {
  const { form, local, credentials, linkErrors, wantsNewest, wantNewest } = useForm.getState();
  const { wish } = checkForm(form);
  const { relay } = readRelay(useRelay.getState());
  if (!wish || relay === undefined || Object.keys(linkErrors).length > 0) return;
  useForm.getState().report(undefined);
  wantNewest(false);
  const run: Run = {
    wish,
    link: writeLink(form, { withValues: false }),
    local: local && isReferenceTo(local, form.image) ? local : undefined,
    wantsNewest,
    relay,
    previewId: newPreviewId(),
    credentials: credentials.username === '' ? undefined : credentials,
  };
  enterRun(run);
  keepQuery(writeLink(form, { withValues: true }));
  void useSession.getState().start(run);
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
  await stepBack();
  await useSession.getState().leave();
  useForm.getState().change({ image });
  runForm();
}

/** Goes from a session back to the form, and shows its problem at the field. */
export async function backToForm(): Promise<void> {
  await stepBack();
  const { problem, leave } = useSession.getState();
  useForm.getState().report(problem);
  await leave();
}

/** Lets Back lead to the form, and Forward run again what ran there. */
export function followHistory(): void {
  watchHistory({
    onRun: (run) => {
      if (useSession.getState().phase === 'none') void useSession.getState().start(run);
    },
    onForm: (query) => {
      const { form, follow } = useForm.getState();
      if (useSession.getState().phase === 'none') {
        if (query !== '' && query !== writeLink(form, { withValues: true })) follow(query);
        return;
      }
      useLeaving.getState().ask('leave', () => void backToForm());
      // The run stays until the user has agreed.
      if (useLeaving.getState().departure) stepForward();
    },
  });
}
