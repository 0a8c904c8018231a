import type { SaverPlatform, SaverWorker } from './savers.ts';

/**
 * Savers that are used again. In a browser no worker starts while the page's thread is blocked, as it is when
 * a page saves on the way out.
 */
export class SaverPool implements SaverPlatform {
  readonly workers: number;
  readonly #platform: SaverPlatform;
  readonly #idle: SaverWorker[] = [];
  #isClosed = false;

  /** Starts all workers. */
  constructor(platform: SaverPlatform) {
    this.#platform = platform;
    this.workers = platform.workers;
    for (let n = 0; n < platform.workers; n++) this.#idle.push(platform.startSaver());
  }

  startSaver(): SaverWorker {
    const worker = this.#idle.pop() ?? this.#platform.startSaver();
    let requests = 0;
    const count = async <T>(answer: Promise<T>): Promise<T> => {
      requests++;
      const result = await answer;
      requests--;
      return result;
    };
    return {
      save: (request) => count(worker.save(request)),
      load: (request) => count(worker.load(request)),
      terminate: () => {
        // One that failed, or has not answered yet, may not answer the next request.
        if (this.#isClosed || requests > 0) worker.terminate();
        else this.#idle.push(worker);
      },
    };
  }

  close(): void {
    this.#isClosed = true;
    for (const worker of this.#idle.splice(0)) worker.terminate();
  }
}
