/** The page's end of a preview: a hidden frame at the preview's origin (src/preview/bridge.ts). */
import type { BridgeReport, Welcome } from '../../preview/messages.ts';
import { BRIDGE_PATH } from '../../preview/names.ts';

/** The longest wait for the frame's first word after it has loaded something, in ms. */
const SILENCE = 3000;
/** The longest wait for its service worker, in ms. */
const PATIENCE = 20_000;

/** Connects a preview with its gateway, as long as the frame is there. */
export class Bridge {
  /** Resolves when the preview's origin serves the container. Rejects with an Error for the user. */
  readonly ready: Promise<void>;
  readonly #frame = document.createElement('iframe');

  /** @param gateway a port to the gateway */
  constructor(origin: string, gateway: MessagePort) {
    const frame = this.#frame;
    frame.hidden = true;
    frame.title = 'Connection of a preview';
    frame.src = origin + BRIDGE_PATH;
    this.ready = listen(frame, origin).then(() => {
      frame.contentWindow?.postMessage({ type: 'gateway' } satisfies Welcome, origin, [gateway]);
    });
    // It may be closed before anyone waits.
    this.ready.catch(() => {});
    document.body.append(frame);
  }

  /** Ends the preview. Its pages say so. */
  close(): void {
    this.#frame.remove();
  }
}

/** Resolves when the frame's service worker is active. */
function listen(frame: HTMLIFrameElement, origin: string): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  const result = new Promise<void>((resolve, reject) => {
    const fail = (message: string) => reject(new Error(message));
    const timer = setTimeout(() => fail('The service worker of the preview does not start.'), PATIENCE);
    signal.addEventListener('abort', () => clearTimeout(timer));
    let isSilent = true;
    const onMessage = ({ origin: sender, source, data }: MessageEvent<BridgeReport>) => {
      if (sender !== origin || source !== frame.contentWindow) return;
      isSilent = false;
      if (data?.type === 'failed') fail(`The preview cannot start: ${String(data.reason)}`);
      if (data?.type === 'ready') resolve();
    };
    // The browser's page for an error loads too, and says nothing.
    const onLoad = () => {
      const problem = `No preview answers at ${origin}. The server of this page must serve *.${location.host} too.`;
      setTimeout(() => isSilent && fail(problem), SILENCE);
    };
    addEventListener('message', onMessage, { signal });
    frame.addEventListener('load', onLoad, { signal, once: true });
  });
  return result.finally(() => over.abort());
}
