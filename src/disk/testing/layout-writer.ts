/** Writes an image into an OCI layout for other tools. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** @param layers the tars, the lowest first */
export async function writeLayout(folder: string, tag: string, layers: readonly Uint8Array[]): Promise<void> {
  const blobs = join(folder, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const add = async (mediaType: string, bytes: Uint8Array) => {
    const hash = createHash('sha256').update(bytes).digest('hex');
    await writeFile(join(blobs, hash), bytes);
    return { mediaType, digest: `sha256:${hash}`, size: bytes.length };
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const stored = [];
  for (const tar of layers) stored.push(await add('application/vnd.oci.image.layer.v1.tar', tar));
  const config = await add(
    'application/vnd.oci.image.config.v1+json',
    json({
      architecture: 'riscv64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: stored.map(({ digest }) => digest) },
    }),
  );
  const manifest = await add(
    'application/vnd.oci.image.manifest.v1+json',
    json({ schemaVersion: 2, config, layers: stored }),
  );
  const annotations = { 'org.opencontainers.image.ref.name': tag };
  await writeFile(
    join(folder, 'index.json'),
    json({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  );
  await writeFile(join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
}
