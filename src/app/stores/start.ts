import { newPreviewId } from '../../preview/names.ts';
import type { KeptItem, KeptRequest, ProjectFiles } from '../machine/messages.ts';
import type { CatalogueEntry } from '../model/catalogue.ts';
import { checkForm } from '../model/check.ts';
import { freeName } from '../model/container-name.ts';
import { foldersProblem } from '../model/folders.ts';
import { DEFAULT_FORM } from '../model/form.ts';
import { readLink, writeLink } from '../model/link.ts';
import { isReferenceTo } from '../model/local.ts';
import { containerNameOf, type Project } from '../model/project.ts';
import { keepQuery } from './address.ts';
import { useFolders } from './folders.ts';
import { useForm } from './form.ts';
import {
  enterRun,
  forgetRun,
  interruptedContainer,
  markRun,
  reenterRun,
  stepBack,
  stepForward,
  watchHistory,
} from './history.ts';
import { useKeeping } from './keeping.ts';
import { useKept } from './kept.ts';
import { useLeaving } from './leaving.ts';
import { useLibrary } from './library.ts';
import { currentRelay, readRelay, useRelay } from './relay.ts';
import { type Run, useSession } from './session.ts';

/** Runs the form if it is valid. Otherwise its fields show their errors. */
export function runForm(): void {
  const { form, local, project, credentials, linkErrors, wantsNewest, wantNewest } = useForm.getState();
  const { wish } = checkForm(form);
  const { relay } = readRelay(useRelay.getState());
  const { chosen: folders } = useFolders.getState();
  if (foldersProblem(folders)) return;
  if (!wish || relay === undefined || Object.keys(linkErrors).length > 0) return;
  useForm.getState().report(undefined);
  wantNewest(false);
  const run: Run = {
    wish,
    link: writeLink(form, { withValues: false }),
    projectAddress: project?.address,
    local: local && isReferenceTo(local, form.image) ? local : undefined,
    wantsNewest,
    folders,
    relay,
    kept: project && canKeep() ? { name: freeNameOf(project), resumes: false } : undefined,
    project: project && filesOf(project, form.workdir),
    previewId: newPreviewId(),
    credentials: credentials.username === '' ? undefined : credentials,
  };
  enterRun(run);
  keepQuery(writeLink(form, { withValues: true }));
  void useSession.getState().start(run);
}

/** Whether the browser stores files of the page. Then a project is kept from the first moment. */
function canKeep(): boolean {
  // Engines without it do not have the whole object.
  const { storage } = navigator as Partial<Navigator>;
  return storage?.getDirectory !== undefined && useLibrary.getState().storage?.isKept !== false;
}

function freeNameOf(project: Project): string {
  const taken = useKept.getState().items.map((item) => item.name);
  return freeName(containerNameOf(project), taken);
}

function filesOf({ files, open, manifest, browserFolder }: Project, folder: string): ProjectFiles {
  const shared = browserFolder === undefined ? undefined : { name: browserFolder, manifest };
  return { folder, files, open, shared };
}

/**
 * Lets a kept container go on.
 * @param resumes unless given, where it was saved if no files have been written since, or else on its files
 */
export function runKept({ name, link }: KeptItem, resumes: KeptRequest['resumes'] = true): void {
  runSession(link, { name, resumes });
}

/** @param link the query of a link to a container like it */
export function runSession(link: string, kept: KeptRequest): void {
  const run = runOf(link, kept);
  if (!run) return;
  enterRun(run);
  void useSession.getState().start(run);
}

function runOf(link: string, kept: KeptRequest): Run | undefined {
  const { form } = readLink(link);
  const { wish } = checkForm(form);
  if (!wish) return undefined;
  return {
    ...{ wish, link, relay: currentRelay(), local: undefined, credentials: undefined, wantsNewest: false },
    folders: [],
    kept,
    previewId: newPreviewId(),
  };
}

/**
 * Goes on with the container that ran when the page was loaded anew, if its session was saved.
 * @returns whether it goes on
 */
export function resumeInterrupted(): boolean {
  const name = interruptedContainer();
  if (name === undefined) return false;
  // The list is older than a container that has only just been kept: the store has not been read yet.
  const item = useKept.getState().items.find((item) => item.name === name);
  const run = runOf(item?.link ?? location.search, { name, resumes: true });
  if (!run) return false;
  reenterRun(run);
  void useSession.getState().start(run);
  showFormIfMissing();
  return true;
}

/** Shows the form if the page was left before its container was kept. */
function showFormIfMissing(): void {
  const stopWatching = useSession.subscribe(({ phase, problem }) => {
    if (phase === 'preparing') return;
    stopWatching();
    if (!problem?.isMissing) return;
    forgetRun();
    void useSession.getState().leave();
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

/** Lets a reload go on with the kept container, as long as it runs. */
function markRuns(): void {
  const mark = () => {
    const { phase } = useSession.getState();
    const { name } = useKeeping.getState();
    markRun(phase === 'ended' || phase === 'failed' ? undefined : name);
  };
  useSession.subscribe(({ phase }, before) => phase !== before.phase && mark());
  useKeeping.subscribe(({ name }, before) => name !== before.name && mark());
}

/** Lets Back lead to the form, and Forward run again what ran there. */
export function followHistory(): void {
  markRuns();
  watchHistory({
    onRun: (run, container) => {
      const { phase, start } = useSession.getState();
      if (phase !== 'none') return;
      if (container !== undefined)
        void start({ ...run, kept: { name: container, resumes: true }, project: undefined });
      // That of a project has its files.
      else void start({ ...run, kept: run.project && run.kept });
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
