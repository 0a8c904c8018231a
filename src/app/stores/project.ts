import { create } from 'zustand';
import { messageOf } from '../../text/message.ts';
import type { LocalImage } from '../machine/messages.ts';
import { archiveUrl } from '../model/archive-address.ts';
import { type LinkOptions, readLink, splitVariable } from '../model/link.ts';
import type { Project } from '../model/project.ts';
import { current, loadMachinery } from './connection.ts';
import { useEditor } from './editor.ts';
import { useForm } from './form.ts';
import { useKeeping } from './keeping.ts';
import { save } from './save.ts';
import { useSession } from './session.ts';
import { runForm } from './start.ts';

interface ProjectState {
  /** The address of an archive that waits for a click. */
  readonly offered: string | undefined;
  /** The name of the file that is being read, or that cannot be. */
  readonly source: string | undefined;
  /** Why it cannot be opened. */
  readonly problem: string | undefined;

  /** Opens a project that the user has picked or dropped. @returns whether it is one */
  take(local: LocalImage): Promise<boolean>;
  /** Offers the project at an address. Nobody is asked for it yet. */
  offer(address: string): void;
  /** Fetches the archive that was offered. */
  fetch(): Promise<void>;
  /** Runs one that comes with the page. */
  runStarter(id: string): Promise<void>;
  dismiss(): void;
}

/** How scripts begin: `#!`. */
const [HASH, EXCLAMATION] = [0x23, 0x21];

/** A project on its way into the form, where it waits for a click. */
export const useProject = create<ProjectState>((set, get) => {
  const read = async (source: string, action: () => Promise<Project | undefined>): Promise<boolean> => {
    set({ offered: undefined, source, problem: undefined });
    try {
      const project = await action();
      if (get().source === source) set({ source: undefined });
      if (project) useForm.getState().openProject(project);
      return project !== undefined;
    } catch (error) {
      if (get().source === source) set({ problem: messageOf(error) });
      return true;
    }
  };
  return {
    offered: undefined,
    source: undefined,
    problem: undefined,
    take: (local) =>
      read(local.name, async () => {
        if (local.kind === 'folder') return readFolder(local.files);
        const { withContainers } = await loadMachinery();
        return withContainers((containers) => containers.readProject(local.file));
      }),
    offer: (offered) => set({ offered, source: undefined, problem: undefined }),
    fetch: async () => {
      const { offered: address } = get();
      if (address === undefined) return;
      set({ offered: undefined });
      await read(address, async () => {
        const url = archiveUrl(address, document.baseURI);
        const { withContainers } = await loadMachinery();
        const project = await withContainers((containers) => containers.fetchProject(url.href));
        return { ...project, address };
      });
    },
    runStarter: async (id) => {
      const { starterProject } = await import('../model/starter-files.ts');
      useForm.getState().openProject(starterProject(id));
      runForm();
    },
    dismiss: () => set({ offered: undefined, source: undefined, problem: undefined }),
  };
});

/**
 * Downloads the running container as a project: its settings, and the files of its working directory if the
 * settings name it.
 * @param withValues whether the variables have their values, which may be secrets
 */
export async function downloadProject({ withValues }: LinkOptions): Promise<void> {
  const { run } = useSession.getState();
  const { name = 'project', saved } = useKeeping.getState();
  const { connection } = current;
  if (!connection || !run) return;
  const { form } = readLink(run.link);
  const { workdir } = run.wish;
  try {
    const { writeManifest } = await import('../model/project.ts');
    const env = withValues ? run.wish.env.map(splitVariable) : form.env;
    const manifest = writeManifest({ name, form: { ...form, env }, open: openBelow(workdir) });
    save(await connection.session.files.packProject(workdir, name, manifest), `${name}.zip`);
  } catch (error) {
    saved(messageOf(error));
  }
}

/** The files in the editor that are below a folder, by their paths from there. */
function openBelow(folder: string | undefined): string[] {
  const paths = useEditor.getState().files.map(({ path }) => path);
  return paths.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(`${folder}/`.length));
}

/** Reads the project in a picked folder. Its files are no programs unless they say so. */
async function readFolder(picked: ReadonlyMap<string, File>): Promise<Project | undefined> {
  // The form does not need this code.
  const { checkSize, isProject, readProject } = await import('../model/project.ts');
  const paths = [...picked.keys()].map((path) => ({ path }));
  if (!isProject(paths)) return undefined;
  checkSize([...picked.values()].map(({ size }) => ({ content: { length: size } })));
  const files = [...picked].map(async ([path, file]) => {
    const content = new Uint8Array(await file.arrayBuffer());
    return { path, content, isExecutable: content[0] === HASH && content[1] === EXCLAMATION };
  });
  return readProject(await Promise.all(files));
}
