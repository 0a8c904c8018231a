/** What a process or a page does with kept containers until it is killed. */
import { lines } from '../../container/testing/lines.ts';
import { collect } from '../../oci/bytes.ts';
import { chunks } from '../../streams/chunks.ts';
import type { RunningContainer } from '../public.ts';

/** The programming interface, of Node or of a browser. */
type Api = typeof import('../public.ts');
export type Role = 'save' | 'leave' | 'suspend' | 'files' | 'manage';
type Say = (line: string) => unknown;

/** The first generation of the script. */
export const FIRST = 11;
export const DISK_BYTES = 64 << 20;

/**
 * A program whose memory and files belong together. `mark` begins the next generation, with a synced file of
 * its own; `check` compares the files of the last ones with the hashes in its memory. Meanwhile another
 * process writes what nobody syncs.
 */
const SCRIPT = `
  mkdir -p /d; cd /d; K=$(cat k 2>/dev/null || echo ${FIRST - 1})
  hash() { sha256sum < s$1 | cut -c 1-64; }
  (while true; do dd if=/dev/urandom of=u bs=1k count=$((1 + RANDOM % 150)) 2>/dev/null; mv u v; sleep 0.02; done) &
  while read command; do
    if [ $command = mark ]; then
      K=$((K + 1)); dd if=/dev/urandom of=s$K bs=1k count=$((1 + K * 53 % 200)) 2>/dev/null
      eval "h$K=$(hash $K)"; echo $K > k; rm -f s$((K - 4)); sync; eval "echo mark $K \\$h$K"
    else
      bad=; for i in $((K - 2)) $((K - 1)) $K; do
        eval "want=\\$h$i"; [ "$want" ] && [ "$(hash $i)" != "$want" ] && bad=$i
      done; echo check $K $bad
    fi
  done`;

/** A container that runs the script. */
class Talker {
  readonly container: RunningContainer;
  readonly #lines: AsyncGenerator<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor(container: RunningContainer) {
    this.container = container;
    this.#lines = lines(container.stdout);
    this.#input = container.stdin.getWriter();
  }

  /** Sends a command. @returns the line that answers it */
  async ask(command: string): Promise<string> {
    await this.#input.write(new TextEncoder().encode(`${command}\n`));
    for (;;) {
      const { value } = await this.#lines.next();
      if (value === undefined) throw new Error('the container has ended');
      if (value.startsWith(command)) return value;
    }
  }
}

/** Makes a kept container of the first generation. */
export async function createKilled({ Container }: Api, image: string, name: string): Promise<void> {
  const sh = new Container(image).entrypoint(['sh', '-c', SCRIPT]).network('none').memory('128m');
  const container = await sh.disk(DISK_BYTES).name(name).run();
  await new Talker(container).ask('mark');
  await container[Symbol.asyncDispose]();
}

/**
 * Saves, suspends and resumes the container "a", or manages the container "m" of the image, over and over.
 * @param say is told each step when it begins and when it is done; the work waits for it
 */
export function workUntilKilled(api: Api, image: string, role: Role, say: Say): Promise<never> {
  return role === 'manage' ? manageForEver(api, image, say) : saveForEver(api, role, say);
}

async function saveForEver({ containers }: Api, role: Role, say: Say): Promise<never> {
  const start = async () => {
    await say('starting');
    const talker = new Talker(await containers.start('a', { resume: role !== 'files' }));
    await say(await talker.ask('check'));
    return talker;
  };
  for (let talker = await start(); ; ) {
    const marked = await talker.ask('mark');
    await say(marked);
    // It is saved at any moment of its work.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
    const generation = marked.split(' ')[1];
    await say(`saving ${generation}`);
    if (role === 'suspend') await talker.container.suspend();
    else await talker.container.save({ isLeaving: role === 'leave' });
    await say(`saved ${generation}`);
    if (role === 'suspend') talker = await start();
  }
}

async function manageForEver({ containers }: Api, image: string, say: Say): Promise<never> {
  const importChanges = async () => {
    const tar = await collect(chunks(await containers.export('m')), 1 << 24, 'the tar');
    await containers.import('imported', image, new Blob([new Uint8Array(tar)]).stream());
  };
  const steps: readonly [string, () => Promise<unknown>][] = [
    ['rename', () => containers.rename('m', 'n')],
    ['rename back', () => containers.rename('n', 'm')],
    ['duplicate', () => containers.duplicate('m', 'copy')],
    ['delete', () => containers.remove('copy')],
    ['commit', () => containers.commit('m', 'made')],
    ['import', importChanges],
    ['delete', () => containers.remove('imported')],
  ];
  for (;;)
    for (const [name, step] of steps) {
      await say(`saving ${name}`);
      await step();
      await say(`saved ${name}`);
    }
}
