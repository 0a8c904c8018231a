/** The program `linuxrun`: Docker's command line. Each command runs its modules when it needs them. */
import { commandOfWords, parseDocker } from '../docker/docker.ts';
import { DockerError } from '../docker/errors.ts';
import { helpOf, helpOfAll } from '../docker/help.ts';
import { runMain } from './main.ts';
import { write } from './program.ts';

const PROGRAM = 'linuxrun';
/** The first word of a process in the background, before those of the user. */
const OWNER = '--owner';

async function main(args: string[]): Promise<number> {
  const isOwner = args[0] === OWNER;
  const line = isOwner ? args.slice(1) : args;
  const words = parse(line);
  switch (words.command) {
    case 'help':
      await write(process.stdout, words.about ? helpOf(PROGRAM, words.about) : helpOfAll(PROGRAM));
      return 0;
    case 'run':
      if (words.detach && !isOwner) return (await import('./detach.ts')).startInBackground([OWNER, ...line]);
      return (await import('./docker-run.ts')).dockerRun(words, isOwner);
    case 'start':
      return (await import('./docker-start.ts')).dockerStart(words, isOwner ? undefined : OWNER);
    case 'rm':
      return (await import('./docker-rm.ts')).dockerRm(words);
    case 'rename':
      return (await import('./docker-rm.ts')).dockerRename(words);
    case 'prune':
      return (await import('./docker-rm.ts')).dockerPrune(words);
    case 'suspend':
      return (await import('./docker-suspend.ts')).dockerSuspend(words);
    case 'resume':
      return (await import('./docker-start.ts')).dockerResume(words, isOwner ? undefined : OWNER);
    case 'commit':
      return (await import('./docker-commit.ts')).dockerCommit(words);
    case 'save':
      return (await import('./docker-save.ts')).dockerSave(words);
    case 'export':
      return (await import('./docker-commit.ts')).dockerExport(words);
    case 'import':
      return (await import('./docker-commit.ts')).dockerImport(words);
    case 'exec':
      return (await import('./docker-exec.ts')).dockerExec(words);
    case 'cp':
      return (await import('./docker-cp.ts')).dockerCp(words);
    case 'ps':
      return (await import('./docker-ps.ts')).dockerPs(words);
    case 'stop':
      return (await import('./docker-stop.ts')).dockerStop(words);
    case 'logs':
      return (await import('./docker-logs.ts')).dockerLogs(words);
    case 'inspect':
      return (await import('./docker-inspect.ts')).dockerInspect(words);
    case 'pull':
      return (await import('./docker-images.ts')).dockerPull(words);
    case 'images':
      return (await import('./docker-images.ts')).dockerImages(words);
    case 'rmi':
      return (await import('./docker-images.ts')).dockerRmi(words);
    case 'version':
      return (await import('./docker-version.ts')).dockerVersion(words);
  }
}

function parse(line: readonly string[]) {
  try {
    return parseDocker(line);
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    const command = commandOfWords(line);
    const help = command ? `${PROGRAM} ${command} --help` : `${PROGRAM} --help`;
    throw new DockerError(`${error.message}\n\nRun '${help}' for more information`, error.status);
  }
}

void runMain(main, { title: '', option: 'linuxrun run ' });
