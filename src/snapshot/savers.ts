import type { LoadAnswer, LoadRequest, SaveAnswer, SaveRequest } from './saver.ts';

/** A worker that saves and loads. It answers one request at a time. */
export interface SaverWorker {
  /** @throws StorageError, StateError */
  save(request: SaveRequest): Promise<SaveAnswer>;
  /** @throws StorageError, StateError */
  load(request: LoadRequest): Promise<LoadAnswer>;
  terminate(): void;
}

/** What savers need from the browser or Node. */
export interface SaverPlatform {
  /** How many workers are worth it. */
  readonly workers: number;
  startSaver(): SaverWorker;
}
