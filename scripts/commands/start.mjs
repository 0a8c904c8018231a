/** `npm start` prepares and serves LinuxRun, then builds the kernel for machines with several harts. */
import { OptionError } from '../../src/options/option-error.mjs';
import { checkVariableNames } from '../../src/options/variables.mjs';
import { answer } from '../setup/about.mjs';
import { buildInBackground } from '../setup/background.mjs';
import { bundleOf } from '../setup/bundle.mjs';
import { runMain } from '../setup/failure.mjs';
import { kernelSmp } from '../setup/kernel.mjs';
import { inProject } from '../setup/places.mjs';
import { checkPort, readPort } from '../setup/port.mjs';
import { setUpFor } from '../setup/purposes.mjs';
import { isInPlace } from '../setup/step.mjs';

const HELP = `usage: npm start [-- --help | --version]

Prepares everything on first use, serves the page on this computer, and prints its URL. Environment variables:

  PORT                          the port (default: 8080); 0 takes any free one
  LINUXRUN_HOSTS                names of a public server, separated by commas; *.NAME has previews
  LINUXRUN_EMBED_ORIGINS        origins that may show the page with ?embed=1 in a frame
  LINUXRUN_RELAY                on or off: whether containers reach the internet through this server
                                (default: on, but off for a public server)
  LINUXRUN_RELAY_SECRET         signs the relay's tokens, for several servers or tokens made elsewhere
  LINUXRUN_RELAY_DENY           further addresses that containers may not connect to
  LINUXRUN_REGISTRIES           the registries that images may come from (default: the well-known public ones)
  LINUXRUN_REGISTRY_MIRROR      a mirror of Docker Hub, https://HOST or http://HOST:PORT, asked instead of it
  LINUXRUN_REGISTRY_CACHE       the folder of the cache of layers (default: in ~/.cache/linuxrun)
  LINUXRUN_REGISTRY_CACHE_SIZE  its limit (default: 4G); 0 keeps nothing
  LINUXRUN_TRUST_PROXY          1 if a proxy in front of the server writes X-Forwarded-For

docs/server.md explains them.
`;

async function main() {
  const args = process.argv.slice(2);
  if (answer(args, HELP)) return;
  if (args.length > 0) throw new OptionError(`unknown argument ${args[0]}: see npm start -- --help`);
  checkVariableNames(process.env);
  await checkPort(readPort(process.env.PORT), 'npm start');
  await setUpFor('start');
  process.argv = [process.execPath, bundleOf('server')];
  await import(bundleOf('server'));
  if (await isInPlace(kernelSmp)) return;
  const builder = [inProject('scripts/setup.mjs'), 'kernel-smp'];
  buildInBackground(kernelSmp.title, process.execPath, builder);
}

await runMain(main);
