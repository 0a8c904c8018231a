import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { expect, type Frame } from '@playwright/test';
import { measureLatency, openPreview, PATIENCE, runImage } from './previews.ts';
import type { Demo } from './stage.ts';

const DOWNLOAD_MIB = 64;
const UPLOAD_BYTES = 100_000_000;

export const httpServer: Demo = {
  title: "Python's http.server and a server for uploads, in two previews at once",
  async play(stage) {
    const { page, visitor, picture } = stage;
    await runImage(stage, 'python');
    await visitor.expectScreen(/[#$]$/, PATIENCE);
    await visitor.type(`mkdir /tmp/files; cd /tmp/files; echo small > small.txt; python3 /srv/server.py &`);
    await visitor.type(`head -c ${DOWNLOAD_MIB}M /dev/urandom > big.bin; sha256sum big.bin`);
    await visitor.expectScreen(/^[0-9a-f]{64} {2}big.bin$/m, PATIENCE);
    const [sum] = await visitor.read(/^([0-9a-f]{64}) {2}big.bin$/m);
    await visitor.type('python3 -m http.server 8000');
    const files = await openPreview(stage, 8000);
    await expect(files.getByRole('link')).toHaveText(['big.bin', 'small.txt'], { timeout: PATIENCE });
    await picture('a listing');

    const coming = page.waitForEvent('download', { timeout: PATIENCE });
    await files.getByRole('link', { name: 'big.bin' }).click();
    const hash = createHash('sha256');
    await pipeline(createReadStream(await (await coming).path()), hash);
    expect(hash.digest('hex')).toBe(sum);
    console.log('  big.bin as a download: right by SHA-256');

    const uploads = await openPreview(stage, 9000);
    await expect(uploads.getByRole('heading')).toHaveText('Uploads', { timeout: PATIENCE });
    await picture('two previews');
    const [upload, download] = await Promise.all([measureUpload(uploads), measureDownload(files)]);
    expect(upload.answer).toEqual({ length: UPLOAD_BYTES, sha256: upload.sha256 });
    expect(download.sha256).toBe(sum);
    console.log(`  at once: ${upload.rate} MB/s up, ${download.rate} MB/s down, both right by SHA-256`);

    const alone = await measureDownload(files);
    expect(alone.sha256).toBe(sum);
    console.log(
      `  alone: ${alone.rate} MB/s down; a small request: ${await measureLatency(files, '/small.txt')}`,
    );
  },
};

/** Uploads random bytes. @returns the server's answer beside the right hash, and the rate in MB/s */
function measureUpload(frame: Frame) {
  return frame.evaluate(async (length) => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    const start = performance.now();
    const answer = (await (await fetch('/', { method: 'POST', body: new Blob([bytes]) })).json()) as unknown;
    const rate = (length / 1000 / (performance.now() - start)).toFixed(1);
    const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return { answer, sha256, rate };
  }, UPLOAD_BYTES);
}

function measureDownload(frame: Frame) {
  return frame.evaluate(async () => {
    const start = performance.now();
    const bytes = await (await fetch('/big.bin', { cache: 'no-store' })).arrayBuffer();
    const rate = (bytes.byteLength / 1000 / (performance.now() - start)).toFixed(1);
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return { sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''), rate };
  });
}
