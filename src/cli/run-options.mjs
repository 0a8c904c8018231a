/** The options of linuxrun. The set-up reads them too, before TypeScript can run. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseAssignments } from '../options/assignments.mjs';
import { checkContainerName } from '../options/container-name.mjs';
import { parseDevices } from '../options/devices.mjs';
import { parseJit } from '../options/jit.mjs';
import { parseCpus, parseMemory } from '../options/machine-size.mjs';
import { parseMirror } from '../options/mirror.mjs';
import { parseMount, parseMounts } from '../options/mounts.mjs';
import { parseNetwork, parseRelay } from '../options/network.mjs';
import { OptionError } from '../options/option-error.mjs';
import { parsePlatform } from '../options/platform.mjs';
import { parsePort, parsePorts } from '../options/published-ports.mjs';
import { checkDiskSize, parseSize } from '../options/sizes.mjs';
import { parseSwitch } from '../options/switch.mjs';
import { checkVariableNames } from '../options/variables.mjs';
import { splitWords } from '../options/words.mjs';

/** @typedef {import('../options/jit.mjs').JitMode} JitMode */
/** @typedef {import('../options/mounts.mjs').FolderMount} FolderMount */
/** @typedef {import('../options/platform.mjs').Architecture} Architecture */
/** @typedef {import('../options/published-ports.mjs').PublishedPort} PublishedPort */

export const HELP = `usage: linuxrun [-p [ADDRESS:]HOST:CONTAINER]... [-v DIR:/PATH[:ro]]... [--init] [--device PATH]...
                [--platform PLATFORM] [--jit hot|off|all] [--jit-stats] [--snapshot FILE] [--help] [--version]

Runs a container image on an emulated RISC-V machine. Standard input, output and error are the container's; on a
terminal it gets a terminal. Environment variables say what to run:

  LINUXRUN_IMAGE       [docker://]NAME[:TAG][@DIGEST]: from a registry (default: Docker Hub)
                       oci://FOLDER[:TAG]: from an OCI image layout
                       file://ARCHIVE[:NAME]: from a tar of docker save, or an OCI archive
                       (default: the hello-world in public/images, beside busybox)
  LINUXRUN_PLATFORM    like --platform
  LINUXRUN_ENTRYPOINT  the program to run instead of the image's, with arguments, quoted as in a shell
  LINUXRUN_ARGS        the arguments instead of the image's, quoted as in a shell
  LINUXRUN_ENV         K1=v1,K2=v2: environment variables; a comma within a value is written \\,
  LINUXRUN_USER        USER[:GROUP], names or numbers, instead of the image's
  LINUXRUN_WORKDIR     the working directory instead of the image's
  LINUXRUN_NAME        the name under which the container's files are kept; a stopped container of the name starts again
                       with them, without LINUXRUN_IMAGE as it was started before
  LINUXRUN_SNAPSHOT    like --snapshot
  LINUXRUN_MEMORY      the machine's memory, such as 512M or 2G (default: 512M)
  LINUXRUN_CPUS        the machine's processors, 1 to 8 (default: 1)
  LINUXRUN_DISK        limit of the container's writes, which are in memory and gone when it ends unless it has a name
                       (default: 1G)
  LINUXRUN_NETWORK     none: no network; otherwise programs reach the internet, but neither this machine nor
                       private networks
  LINUXRUN_RELAY       wss://…: the network is an Ethernet behind that relay, which sees all traffic, instead of
                       connections from this process; off: names and connections fail at once
  LINUXRUN_PORTS       8080:80,…: like -p, with commas between them
  LINUXRUN_INIT        1: like --init
  LINUXRUN_DEVICES     /dev/fuse, /dev/net/tun, or both with a comma between them: like --device
  LINUXRUN_MOUNTS      DIR:/path[:ro],…: like -v, with commas between them; a comma within a name is written \\,
  LINUXRUN_REGISTRY_USER, LINUXRUN_REGISTRY_PASSWORD
                       the account at the registry, for private images (default: that of docker login, which
                       ~/.docker/config.json and its credential helpers keep)
  LINUXRUN_REGISTRY_MIRROR
                       https://HOST or http://HOST:PORT: a mirror of Docker Hub, asked instead of it, without an account

  -p, --publish [ADDRESS:]HOST:CONTAINER[/tcp]
                       connections to the port HOST of this machine lead to the port CONTAINER of the container, also
                       with LINUXRUN_NETWORK=none; may be repeated. ADDRESS is 127.0.0.1 unless it is given (Docker
                       takes all, 0.0.0.0); IPv6 addresses are in brackets. HOST 0 is any free port, which is
                       printed. Ranges such as 8000-8005:8000-8005 are several ports. There is no UDP.
  -v, --volume DIR:/PATH[:ro]
                       shares the folder DIR of this machine with the container, at /PATH; with :ro the container
                       only reads it; may be repeated
  --init               puts a small init before the program, which reaps orphans, and with which signals such as
                       Ctrl-C also end a program that does not handle them
  --device PATH        gives the container a further device; may be repeated
  --platform PLATFORM  linux/riscv64, linux/arm64 or linux/amd64, also without linux/: the platform whose image runs
                       (default: the first of these that there is). Programs for arm64 and amd64 are emulated, which
                       makes them about ten times slower.
  --jit hot|off|all    compiles hot code, no code, or all code to WebAssembly (default: hot)
  --snapshot FILE      goes on with the session in this file, which linuxrun suspend --snapshot has written
  --jit-stats          prints the compiler's statistics on standard error

On a terminal, Ctrl-] three times within a second ends the machine, also when the program ignores Ctrl-C.
Signals are passed on to the container. 10 seconds after SIGTERM, or at the second SIGINT or SIGTERM, it is killed. It
ends within 2 seconds when its terminal is closed, or when it writes output that nobody reads any more.

The exit status is the container's: 128 + n after signal n, 127 when the program is not found, 126 when it cannot be
run, and 125 when linuxrun itself fails.
`;

/**
 * `--help` and `--version` end before there is a program that reads its flags.
 * @param {string[]} args
 * @returns {{
 *   ports: readonly PublishedPort[],
 *   mounts: readonly FolderMount[],
 *   init: boolean,
 *   devices: readonly string[],
 *   platform: Architecture | undefined,
 *   jit: JitMode,
 *   jitStats: boolean,
 *   snapshot: string | undefined,
 * }}
 * @throws OptionError
 */
export function readFlags(args) {
  const [word = '-'] = args;
  if (!word.startsWith('-'))
    throw new OptionError(
      `"${word}": variables say what runs here, such as LINUXRUN_IMAGE, see linuxrun --help; ` +
        "for Docker's words: npm run -s linuxrun -- run IMAGE",
    );
  try {
    const { values } = parseArgs({
      args,
      options: {
        publish: { type: 'string', short: 'p', multiple: true, default: [] },
        volume: { type: 'string', short: 'v', multiple: true, default: [] },
        init: { type: 'boolean', default: false },
        device: { type: 'string', multiple: true, default: [] },
        platform: { type: 'string' },
        jit: { type: 'string', default: 'hot' },
        'jit-stats': { type: 'boolean', default: false },
        snapshot: { type: 'string' },
      },
    });
    const { publish, volume, init, device, platform: name, jit, 'jit-stats': jitStats, snapshot } = values;
    const mounts = volume.map(parseMount);
    const ports = publish.flatMap(parsePort);
    const platform = name === undefined ? undefined : parsePlatform(name);
    const devices = device.flatMap(parseDevices);
    return { ports, mounts, init, devices, platform, jit: parseJit(jit), jitStats, snapshot };
  } catch (error) {
    throw new OptionError(`${/** @type {Error} */ (error).message}; see linuxrun --help`);
  }
}

/**
 * @typedef {object} RunOptions
 * @property {string} image
 * @property {Architecture | undefined} [platform] whose image runs
 * @property {readonly string[] | undefined} entrypoint
 * @property {readonly string[] | undefined} args
 * @property {readonly string[]} env
 * @property {string | undefined} user
 * @property {string | undefined} currentDir
 * @property {string | undefined} [name] the name under which the container is kept
 * @property {string | undefined} [snapshot] the file with a session that goes on
 * @property {string | undefined} [hostname]
 * @property {boolean | undefined} [readOnly]
 * @property {readonly string[] | undefined} [tmpfs]
 * @property {readonly PublishedPort[]} ports
 * @property {boolean} init
 * @property {readonly string[]} devices
 * @property {readonly FolderMount[]} mounts
 * @property {number} memoryBytes
 * @property {number} cpus
 * @property {number} diskBytes
 * @property {import('../api/host.ts').Host['network'] | undefined} network
 * @property {string | undefined} mirror the origin of a mirror of Docker Hub
 * @property {import('../api/public.ts').Credentials | undefined} credentials
 */

/**
 * Reads the LINUXRUN_ variables; an empty one counts as not set.
 * @param {Readonly<Record<string, string | undefined>>} env
 * @param {string} publicFolder where the demo images are
 * @returns {RunOptions}
 * @throws OptionError
 */
export function readOptions(env, publicFolder) {
  checkVariableNames(env);
  /**
   * @template T
   * @param {string} name
   * @param {(text: string) => T} parse
   */
  const read = (name, parse) => {
    const text = env[`LINUXRUN_${name}`];
    if (text === undefined || text === '') return undefined;
    try {
      return parse(text);
    } catch (error) {
      throw new OptionError(`LINUXRUN_${name}: ${error instanceof Error ? error.message : error}`);
    }
  };
  const text = (/** @type {string} */ name) => read(name, String);
  const username = text('REGISTRY_USER');
  const password = text('REGISTRY_PASSWORD');
  if (username === undefined && password !== undefined)
    throw new OptionError('LINUXRUN_REGISTRY_PASSWORD needs LINUXRUN_REGISTRY_USER');
  if (text('PROJECT') !== undefined)
    throw new OptionError('LINUXRUN_PROJECT is for links: open them in the page, which runs projects');
  const args = read('ARGS', splitWords);
  return {
    image: text('IMAGE') ?? demoImage(publicFolder),
    platform: read('PLATFORM', parsePlatform),
    entrypoint: read('ENTRYPOINT', splitWords),
    // Blank is like empty.
    args: args?.length === 0 ? undefined : args,
    env: read('ENV', parseAssignments) ?? [],
    user: text('USER'),
    currentDir: text('WORKDIR'),
    name: read('NAME', parseContainerName),
    snapshot: text('SNAPSHOT'),
    ports: read('PORTS', parsePorts) ?? [],
    init: read('INIT', parseSwitch) ?? false,
    devices: read('DEVICES', parseDevices) ?? [],
    mounts: read('MOUNTS', parseMounts) ?? [],
    memoryBytes: read('MEMORY', parseMemory) ?? parseSize('512M'),
    cpus: read('CPUS', parseCpus) ?? 1,
    diskBytes: read('DISK', parseDisk) ?? parseSize('1G'),
    network: networkOf(read('NETWORK', parseNetwork), read('RELAY', parseRelay)),
    mirror: read('REGISTRY_MIRROR', parseMirror),
    credentials: username === undefined ? undefined : { username, password: password ?? '' },
  };
}

/**
 * @param {'none' | undefined} network
 * @param {string | undefined} relay
 * @returns {import('../api/host.ts').Host['network'] | undefined}
 */
function networkOf(network, relay = 'on') {
  if (network === 'none') return undefined;
  if (relay === 'on') return {};
  const reason = 'LINUXRUN_RELAY is off: unset it, or name a relay in it (wss://…)';
  return { relay: relay === 'off' ? { kind: 'off', reason } : { kind: 'foreign', url: relay } };
}

/** @param {string} publicFolder */
function demoImage(publicFolder) {
  const path = join(publicFolder, 'images').replace(/[%:@]/g, encodeURIComponent);
  return `oci://${path}:hello-world`;
}

/** @param {string} text */
function parseContainerName(text) {
  checkContainerName(text);
  return text;
}

/** @param {string} text */
function parseDisk(text) {
  const bytes = parseSize(text);
  checkDiskSize(bytes, text);
  return bytes;
}
