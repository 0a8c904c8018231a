import { MachineError } from '../machine/errors.ts';
import { printable } from '../text/byte-text.ts';

/** A saved session that only the version of LinuxRun which saved it can go on with. */
export class VersionError extends MachineError {
  override name = 'VersionError';

  /** @param release the version, as the session names it */
  constructor(release: string | undefined) {
    const maker =
      release === undefined
        ? 'another version of LinuxRun'
        : `another build of LinuxRun ${printable(release)}`;
    super(`${maker} saved this session: open it there, because memory goes on only with the same kernel`);
  }
}
