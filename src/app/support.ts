/** Why this browser cannot run a machine in this page, and how to change that. */
export interface Obstacle {
  title: string;
  text: string;
}

const HEADERS = 'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp';

const NOT_ISOLATED: Obstacle = {
  title: 'This page is not cross-origin isolated',
  text:
    'The processors of the machine share memory, which browsers allow only to pages with the headers ' +
    `${HEADERS}. The server does not send them, and the browser did not let the page add them by itself: ` +
    'allow this site to store data, and reload the page. The server that npm start runs sends the headers; ' +
    'another server in front of it must keep them.',
};

/** Returns why a page with this global scope cannot run harts in threads that share memory, if it cannot. */
export function findObstacle(scope: typeof globalThis): Obstacle | undefined {
  if (!scope.isSecureContext) {
    return {
      title: 'This page was not loaded over a secure connection',
      text: 'The processors of the machine share memory, which browsers allow only on https:// or on localhost.',
    };
  }
  if (scope.crossOriginIsolated === false) return NOT_ISOLATED;
  if (typeof scope.SharedArrayBuffer === 'undefined' || !hasWasmThreads(scope)) {
    return {
      title: 'This browser lacks WebAssembly threads',
      text: 'LinuxRun needs a browser with SharedArrayBuffer and WebAssembly threads: any recent Chromium, Firefox or Safari.',
    };
  }
  return undefined;
}

/** Whether the page of this global scope is in a frame of another one. */
export function isFramed({ top, self }: typeof globalThis): boolean {
  return top !== self;
}

/** Whether the address asks for the page that others may frame. */
export function isEmbedded({ search }: Location): boolean {
  return new URLSearchParams(search).get('embed') === '1';
}

/** Whether the browser asks pages to transfer little. */
export function savesData(): boolean {
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  return connection?.saveData === true;
}

function hasWasmThreads(scope: typeof globalThis): boolean {
  try {
    const memory = new scope.WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    return memory.buffer instanceof scope.SharedArrayBuffer;
  } catch {
    return false;
  }
}
