/** `npm run release` fills `dist/release` with the files of a release; docs/releases.md describes them. */
import { runMain } from '../setup/failure.mjs';
import { inProject } from '../setup/places.mjs';
import { setUpFor } from '../setup/purposes.mjs';
import { addArchives, formatParts, RELEASE, writeSums } from '../setup/release.mjs';

await runMain(async () => {
  await setUpFor('release');
  const folder = inProject(RELEASE);
  await addArchives(folder);
  await writeSums(folder);
  console.log(await formatParts(folder));
});
