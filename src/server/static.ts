import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import type { Context, MiddlewareHandler, NotFoundHandler } from 'hono';
import { getMimeType } from 'hono/utils/mime';

const compress = promisify(brotliCompress);

/** Static hosts take the page from this path too. */
const MISSING_PAGE = '404.html';
const DEFAULT_TYPE = 'application/octet-stream';
// Kernels and initial file systems are octet streams and halve in size.
const COMPRESSIBLE = /^(text\/|application\/(javascript|json|manifest\+json|octet-stream|wasm)|image\/svg)/;
const COMPRESS_MIN = 1024;
const COMPRESS_MAX = 64 << 20;
// Level 9 takes seven times as long for the kernel, and saves 2 % of its size.
const COMPRESS_QUALITY = 5;

/** A version of a file, open for reading. */
interface File {
  handle: FileHandle;
  path: string;
  type: string;
  size: number;
  /** A weak tag, because it stands for the version of the file in any encoding. */
  etag: string;
}

/**
 * Answers GET and HEAD with the files of `roots`, of which the first one that has a file wins. Leads to a
 * folder's page if the slash is missing. Passes all other requests on. Follows symbolic links out of a root,
 * because the owner of a root is trusted.
 */
export function staticFiles(roots: readonly string[]): MiddlewareHandler {
  const compressed = new CompressedFiles();
  return async (context, next) => {
    if (context.req.method !== 'GET' && context.req.method !== 'HEAD') return next();
    const path = decodePath(context.req.path);
    const file = path === undefined ? undefined : await openFirst(roots, path);
    if (file) return respond(context, file, compressed);
    if (path !== undefined && (await isFolder(roots, path))) {
      const { pathname, search } = new URL(context.req.url);
      // Its page names other files relative to the folder.
      return context.redirect(`${pathname}/${search}`, 301);
    }
    return next();
  };
}

/** Answers people with the page for wrong addresses, and programs with a line. */
export function missingPage(roots: readonly string[]): NotFoundHandler {
  return async (context) => {
    const isForPeople = /\btext\/html\b/.test(context.req.header('Accept') ?? '');
    const file = isForPeople ? await openFirst(roots, MISSING_PAGE) : undefined;
    if (!file) return context.text('Not found\n', 404);
    try {
      return context.html(await file.handle.readFile('utf8'), 404);
    } finally {
      await file.handle.close();
    }
  };
}

/**
 * Returns the relative path that a URL's path names, which ends in index.html for a folder. Returns undefined
 * for a path that could lead out of a root or to a hidden file.
 */
export function decodePath(urlPath: string): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(urlPath);
  } catch {
    return undefined;
  }
  const segments = path.split('/').slice(1);
  if (segments.at(-1) === '') segments[segments.length - 1] = 'index.html';
  const safe = segments.every(
    (segment) => segment !== '' && !segment.startsWith('.') && !/[\\\0]/.test(segment),
  );
  return safe ? segments.join('/') : undefined;
}

async function openFirst(roots: readonly string[], path: string): Promise<File | undefined> {
  for (const root of roots) {
    const file = await openFile(join(root, path));
    if (file) return file;
  }
  return undefined;
}

/** Tells whether a path without a slash at its end is a folder with a page. */
async function isFolder(roots: readonly string[], path: string): Promise<boolean> {
  const page = await openFirst(roots, `${path}/index.html`);
  await page?.handle.close();
  return page !== undefined;
}

async function openFile(path: string): Promise<File | undefined> {
  const handle = await open(path).catch(() => undefined);
  if (!handle) return undefined;
  const stats = await handle.stat();
  if (!stats.isFile()) {
    await handle.close();
    return undefined;
  }
  const etag = `W/"${stats.size.toString(36)}-${Math.trunc(stats.mtimeMs).toString(36)}"`;
  return { handle, path, type: getMimeType(path) ?? DEFAULT_TYPE, size: stats.size, etag };
}

async function respond(context: Context, file: File, compressed: CompressedFiles): Promise<Response> {
  context.header('ETag', file.etag);
  // Vite names the files in assets/ by hashes of their content.
  const immutable = context.req.path.startsWith('/assets/');
  context.header('Cache-Control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
  context.header('Vary', 'Accept-Encoding');
  if (matches(context.req.header('If-None-Match'), file.etag)) {
    await file.handle.close();
    return context.body(null, 304);
  }
  context.header('Content-Type', file.type);
  context.header('Accept-Ranges', 'bytes');

  const range = requestedRange(context, file.size);
  if (range === 'unsatisfiable') {
    await file.handle.close();
    context.header('Content-Range', `bytes */${file.size}`);
    return context.body(null, 416);
  }
  if (range) {
    context.header('Content-Range', `bytes ${range.start}-${range.end}/${file.size}`);
    return send(context, file, range.start, range.end - range.start + 1, 206);
  }
  const body = accepts(context.req.header('Accept-Encoding'), 'br') ? compressed.find(file) : undefined;
  if (body) {
    await file.handle.close();
    context.header('Content-Encoding', 'br');
    context.header('Content-Length', String(body.length));
    return context.req.method === 'HEAD' ? context.body(null, 200) : context.body(body, 200);
  }
  return send(context, file, 0, file.size, 200);
}

async function send(
  context: Context,
  { handle }: File,
  start: number,
  length: number,
  status: 200 | 206,
): Promise<Response> {
  context.header('Content-Length', String(length));
  if (context.req.method === 'HEAD' || length === 0) {
    await handle.close();
    return context.body(null, status);
  }
  const stream = handle.createReadStream({ start, end: start + length - 1 });
  return context.body(Readable.toWeb(stream) as ReadableStream, status);
}

/** Whether a list of entity tags names `etag`, compared weakly (RFC 9110, section 13.1.2). */
function matches(list: string | undefined, etag: string): boolean {
  if (list === undefined) return false;
  const strong = (tag: string) => tag.trim().replace(/^W\//, '');
  return list.split(',').some((tag) => tag.trim() === '*' || strong(tag) === strong(etag));
}

/** Whether an Accept-Encoding header allows `encoding` (RFC 9110, section 12.5.3). */
function accepts(header: string | undefined, encoding: string): boolean {
  return (header ?? '').split(',').some((entry) => {
    const [name, ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase());
    return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}

/** Only GET has ranges, and a weak tag never satisfies If-Range (RFC 9110, sections 14.2 and 13.1.5). */
function requestedRange(context: Context, size: number): ReturnType<typeof parseRange> {
  const header = context.req.header('Range');
  const applies = context.req.method === 'GET' && context.req.header('If-Range') === undefined;
  return header !== undefined && applies ? parseRange(header, size) : undefined;
}

/**
 * Returns the bytes that a Range header asks for, including both ends. Returns undefined for a header to
 * ignore, such as one with several ranges (RFC 9110, section 14.2).
 */
export function parseRange(
  header: string,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const last = size - 1;
  if (match[1] === '') {
    const length = Math.min(Number(match[2]), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: last };
  }
  const start = Number(match[1]);
  const end = match[2] === '' ? last : Math.min(Number(match[2]), last);
  if (match[2] !== '' && Number(match[2]) < start) return undefined;
  return start > last ? 'unsatisfiable' : { start, end };
}

/**
 * Keeps compressed files in memory. The first request for a file starts its compression and gets the plain
 * file, so no request waits.
 */
class CompressedFiles {
  readonly #bodies = new Map<string, { etag: string; body?: Uint8Array<ArrayBuffer> }>();

  /** Returns the compressed body of this version of the file if it is ready and smaller. */
  find(file: File): Uint8Array<ArrayBuffer> | undefined {
    if (file.size < COMPRESS_MIN || file.size > COMPRESS_MAX || !COMPRESSIBLE.test(file.type))
      return undefined;
    const known = this.#bodies.get(file.path);
    if (known?.etag === file.etag) return known.body;
    this.#bodies.set(file.path, { etag: file.etag });
    // A file that cannot be compressed is still sent plain.
    this.#compress(file.path).catch(() => {});
    return undefined;
  }

  async #compress(path: string): Promise<void> {
    const file = await openFile(path);
    if (!file) return;
    const plain = await file.handle.readFile().finally(() => file.handle.close());
    const body = await compress(plain, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: COMPRESS_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
      },
    });
    this.#bodies.set(path, {
      etag: file.etag,
      ...(body.length < plain.length && { body: new Uint8Array(body) }),
    });
  }
}
