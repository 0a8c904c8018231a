import { create } from 'zustand';
import type { Credentials } from '../../api/public.ts';
import { formatReference } from '../../api/references.ts';
import type { LocalImage } from '../machine/messages.ts';
import type { CatalogueEntry } from '../model/catalogue.ts';
import { DEFAULT_FORM, type FieldErrors, type Form } from '../model/form.ts';
import { readLink } from '../model/link.ts';
import { isReferenceTo } from '../model/local.ts';
import type { Pasted } from '../model/paste.ts';
import type { Problem } from '../model/problem.ts';
import type { Project } from '../model/project.ts';

interface FormState {
  readonly form: Form;
  /** Whether a link filled in the form and the user has not changed it since. */
  readonly isLink: boolean;
  /** The address of a saved session, if the link names one. */
  readonly snapshot: string | undefined;
  /** The address of a project, if the link names one. */
  readonly projectAddress: string | undefined;
  /** Errors of the link, each until its field is changed. */
  readonly linkErrors: FieldErrors;
  readonly ignoredParameters: readonly string[];
  /** The parts of a pasted command that have no place in the form, until the form is changed. */
  readonly leftOut: readonly string[];
  /** The file or folder that the user picked or dropped last. */
  readonly local: LocalImage | undefined;
  /** The project whose files the container gets. */
  readonly project: Project | undefined;
  /** Credentials for the registry. They are in no link and no storage. */
  readonly credentials: Credentials;
  readonly areOptionsOpen: boolean;
  /** Whether to ask the registry although the image is stored. */
  readonly wantsNewest: boolean;
  /** Why the last run failed, until the form is changed. */
  readonly problem: Problem | undefined;

  change(change: Partial<Form>): void;
  choose(entry: CatalogueEntry): void;
  /** Fills in the form from the address of the page. */
  follow(query: string): void;
  /** Fills in the form from a recent run. */
  fill(query: string): void;
  paste(pasted: Pasted): void;
  pick(local: LocalImage): void;
  /** Fills in the form from a project. */
  openProject(project: Project): void;
  closeProject(): void;
  signIn(credentials: Credentials): void;
  openOptions(open: boolean): void;
  wantNewest(wanted: boolean): void;
  report(problem: Problem | undefined): void;
}

export const useForm = create<FormState>((set) => ({
  form: DEFAULT_FORM,
  isLink: false,
  snapshot: undefined,
  projectAddress: undefined,
  linkErrors: {},
  ignoredParameters: [],
  leftOut: [],
  local: undefined,
  project: undefined,
  credentials: { username: '', password: '' },
  areOptionsOpen: false,
  wantsNewest: false,
  problem: undefined,

  change: (change) =>
    set(({ form, linkErrors, wantsNewest }) => ({
      form: { ...form, ...change },
      wantsNewest: wantsNewest && !('image' in change),
      isLink: false,
      leftOut: [],
      problem: undefined,
      linkErrors: Object.fromEntries(Object.entries(linkErrors).filter(([field]) => !(field in change))),
    })),
  choose: ({ image, memory = DEFAULT_FORM.memory, disk = DEFAULT_FORM.disk }) =>
    set(({ form }) => ({
      form: { ...form, image, entrypoint: '', args: '', memory, disk },
      ...UNTOUCHED,
    })),
  follow: (query) => {
    const { form, isLink, errors, snapshot, project, ignored } = readLink(query);
    set({
      form,
      isLink,
      snapshot,
      projectAddress: project,
      project: undefined,
      linkErrors: errors,
      ignoredParameters: ignored,
      areOptionsOpen: needsOptions(form),
    });
  },
  fill: (query) => {
    const { form } = readLink(query);
    set({ form, ...UNTOUCHED, areOptionsOpen: needsOptions(form) });
  },
  paste: ({ form: change, leftOut }) =>
    set(({ form: before }) => {
      const form = { ...before, ...change };
      return { form, ...UNTOUCHED, leftOut, areOptionsOpen: needsOptions(form) };
    }),
  pick: (local) => {
    const image = formatReference({ scheme: 'file', path: local.name, image: {} });
    set(({ form }) => ({
      local,
      form: { ...form, image: isReferenceTo(local, form.image) ? form.image : image },
      isLink: false,
      leftOut: [],
      problem: undefined,
    }));
  },
  openProject: (project) => {
    const { form, errors } = project;
    set({ form, ...UNTOUCHED, project, linkErrors: errors, areOptionsOpen: false });
  },
  closeProject: () => set({ project: undefined }),
  signIn: (credentials) => set({ credentials }),
  openOptions: (areOptionsOpen) => set({ areOptionsOpen }),
  wantNewest: (wantsNewest) => set({ wantsNewest }),
  report: (problem) =>
    set(({ areOptionsOpen }) => ({
      problem,
      isLink: false,
      areOptionsOpen: areOptionsOpen || (problem?.field !== undefined && problem.field !== 'image'),
    })),
}));

/** What is left of a link, a paste and a failed run when another form takes the place of theirs. */
const UNTOUCHED = {
  isLink: false,
  linkErrors: {},
  leftOut: [],
  problem: undefined,
  wantsNewest: false,
  project: undefined,
} as const;

/** Options that a link sets must be visible. */
function needsOptions(form: Form): boolean {
  const { image: _, ...rest } = form;
  const { image: __, ...usual } = DEFAULT_FORM;
  return JSON.stringify(rest) !== JSON.stringify(usual);
}
