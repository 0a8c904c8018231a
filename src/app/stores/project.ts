import { create } from 'zustand';
import { messageOf } from '../../text/message.ts';
import type { LocalImage } from '../machine/messages.ts';
import { archiveUrl } from '../model/archive-address.ts';
import { keptName } from '../model/folders.ts';
import type { LinkOptions } from '../model/link.ts';
import type { Project } from '../model/project.ts';
import { isZip } from '../model/zip-file.ts';
import { current, loadMachinery } from './connection.ts';
import { useEditor } from './editor.ts';
import { useFolders } from './folders.ts';
import { useForm } from './form.ts';
import { useKeeping } from './keeping.ts';
import { save } from './save.ts';
import { formOf, useSession } from './session.ts';
import { runForm } from './start.ts';

interface ProjectState {
  /** The address of an archive that waits for a click. */
  readonly offered: string | undefined;
  /** The name of the file that is being read, or that cannot be. */
  readonly source: string | undefined;
  /** Why it cannot be opened. */
  readonly problem: string | undefined;

  /** Opens a project that the user has picked or dropped. @returns whether it can be nothing else */
  take(local: LocalImage): Promise<boolean>;
  /** Looks whether a picked archive of an image is one of a project. */
  look(local: LocalImage): Promise<void>;
  /** Offers the project at an address. Nobody is asked for it yet. */
  offer(address: string): void;
  /** Fetches the archive that was offered. */
  fetch(): Promise<void>;
  /** Lets the files of the form's project go to a new folder of the browser, which outlives containers. */
  moveToFolder(): Promise<void>;
  /** Runs one that comes with the page. */
  runStarter(id: string): Promise<void>;
  dismiss(): void;
}

/** Its name, without the code of `model/project.ts`. */
const MANIFEST = 'linuxrun.json';
/** How scripts begin: `#!`. */
const [HASH, EXCLAMATION] = [0x23, 0x21];

/** A project on its way into the form, where it waits for a click. */
export const useProject = create<ProjectState>((set, get) => {
  /** @returns whether the form has it */
  const read = async (source: string, action: () => Promise<Project>): Promise<boolean> => {
    set({ offered: undefined, source, problem: undefined });
    try {
      const project = await action();
      if (get().source !== source) return false;
      set({ source: undefined });
      useForm.getState().openProject(project);
      return true;
    } catch (error) {
      if (get().source === source) set({ problem: messageOf(error) });
      return false;
    }
  };
  const readArchive = async (file: File) => (await loadMachinery()).readProject(file);
  return {
    offered: undefined,
    source: undefined,
    problem: undefined,
    take: async (local) => {
      const { name } = local;
      if (local.kind === 'folder') {
        if (!local.files.has(MANIFEST)) return false;
        await read(name, () => readFolder(local.files));
        return true;
      }
      if (!(await isZip(local.file))) return false;
      // Of nothing else the page reads zips, so that it is a project or an error.
      await read(name, async () => (await readArchive(local.file)) as Project);
      return true;
    },
    look: async (local) => {
      if (local.kind !== 'file') return;
      const reading = readArchive(local.file);
      // Why it is no image either is told when it runs.
      const isProject = await reading.then(Boolean, ({ name }: Error) => name === 'ProjectError');
      if (isProject && useForm.getState().local === local)
        await read(local.name, async () => (await reading) as Project);
    },
    offer: (offered) => set({ offered, source: undefined, problem: undefined }),
    fetch: async () => {
      const { offered: address } = get();
      if (address === undefined) return;
      set({ offered: undefined });
      await read(address, async () => {
        const url = archiveUrl(address, document.baseURI);
        const { fetchProject } = await loadMachinery();
        return { ...(await fetchProject(url)), address };
      });
    },
    moveToFolder: async () => {
      const { project } = useForm.getState();
      if (!project) return;
      await useFolders.getState().refresh();
      const taken = useFolders.getState().kept.map(({ name }) => name);
      useForm.setState({ project: { ...project, browserFolder: keptName(project.name, taken) } });
    },
    runStarter: async (id) => {
      const load = async () => (await import('../model/starter-files.ts')).starterProject(id);
      if (await read(id, load)) runForm();
    },
    dismiss: () => set({ offered: undefined, source: undefined, problem: undefined }),
  };
});

/**
 * Downloads the running container as a project: its settings, and the files of its working directory if the
 * settings name it.
 * @param withValues whether the variables have their values, which may be secrets
 */
export async function downloadProject(options: LinkOptions): Promise<void> {
  const { run } = useSession.getState();
  const { name = 'project', saved } = useKeeping.getState();
  const { connection } = current;
  if (!connection || !run) return;
  const { workdir } = run.wish;
  try {
    const { checkFolder, MOST_OPEN, writeManifest } = await import('../model/project.ts');
    if (workdir !== undefined) checkFolder(workdir);
    const open = openBelow(workdir).slice(0, MOST_OPEN);
    const manifest = writeManifest({ name, form: formOf(run), open }, options);
    save(await connection.session.files.packProject(workdir, name, manifest), `${name}.zip`);
  } catch (error) {
    saved(messageOf(error));
  }
}

/** The files in the editor that are below a folder, by their paths from there. */
function openBelow(folder: string | undefined): string[] {
  // What is only in the editor is not packed.
  const files = useEditor.getState().files.filter(({ state, base }) => state === 'ready' && base !== null);
  const paths = files.map(({ path }) => path);
  return paths.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(`${folder}/`.length));
}

/** Reads the project in a picked folder. Its files are no programs unless they say so. */
async function readFolder(picked: ReadonlyMap<string, File>): Promise<Project> {
  // The form does not need this code.
  const { checkSize, readProject } = await import('../model/project.ts');
  checkSize([...picked.values()].map(({ size }) => ({ content: { length: size } })));
  const files = [...picked].map(async ([path, file]) => {
    const content = new Uint8Array(await file.arrayBuffer());
    return { path, content, isExecutable: content[0] === HASH && content[1] === EXCLAMATION };
  });
  return readProject(await Promise.all(files));
}
