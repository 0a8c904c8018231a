import type { Bytes } from './bytes.ts';
import type { Context } from './context.ts';
import { ImageError } from './errors.ts';
import type { Folder } from './folder.ts';
import { type Answer, type Fetch, HttpClient, statusError, type Timing } from './http.ts';

/** A folder on a web server, such as the server of our page. */
export class HttpFolder implements Folder {
  readonly parallel = 3;
  readonly #base: URL;
  readonly #http: HttpClient;

  /** @param base ending in a slash */
  constructor(base: URL, fetch: Fetch, timing?: Partial<Timing>) {
    this.#base = base;
    this.#http = new HttpClient(fetch, timing);
  }

  readFile(path: string, limit: number, context: Context): Promise<Uint8Array> {
    return this.#http.retry(async () => (await this.#get(path, 0, context)).bytes(limit, path), context);
  }

  stream(path: string, size: number, context: Context): Bytes {
    return this.#http.download((offset) => this.#get(path, offset, context), size, context);
  }

  position(): number {
    return 0;
  }

  async #get(path: string, offset: number, context: Context): Promise<Answer> {
    const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const url = new URL(path, this.#base);
    const answer = await this.#http.get(url.href, headers, context);
    if (answer.status === 200 || answer.status === 206) return answer;
    if (answer.status !== 404) throw await statusError(answer, path);
    answer.cancel();
    throw new ImageError(`${url.href} does not exist`, 'not-found');
  }
}
