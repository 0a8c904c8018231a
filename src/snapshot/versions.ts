import { PROTOCOL_VERSION } from '../machine/agent-codes.ts';
import type { Versions } from './file.ts';

/** The version of this program, as package.json has it. */
export const RELEASE = '0.1.0';

/** The section of emulator.wasm that names its build. */
const BUILD_SECTION = 'linuxrun.build';

/** The build of a core; empty if it has no name. */
export function buildOf(emulator: WebAssembly.Module): string {
  const [section] = WebAssembly.Module.customSections(emulator, BUILD_SECTION);
  return section ? new TextDecoder().decode(section) : '';
}

/** A state holds its own kernel. The core must be the same, and the protocol of the agent in the state. */
export function versionsOf(emulator: WebAssembly.Module): Versions {
  return { core: buildOf(emulator), kernel: '', initramfs: `agent protocol ${PROTOCOL_VERSION}` };
}
