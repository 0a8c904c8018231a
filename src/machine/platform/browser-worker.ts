import { browserStore } from '../../storage/browser.ts';
import { packError } from '../errors.ts';
import type { WorkerStart } from '../protocol.ts';
import { runWorker } from '../worker.ts';

const fail = (cause: unknown) => postMessage(packError(cause));
addEventListener('error', ({ error }) => fail(error));
addEventListener('unhandledrejection', ({ reason }) => fail(reason));
const openStore = () => browserStore().layers;
addEventListener('message', ({ data }: MessageEvent<WorkerStart>) => runWorker(data, openStore), {
  once: true,
});
