import type { Browser, BrowserContext } from '@playwright/test';

/** Playwright's own end of the connection to a browser, which has no public name. */
interface Connected {
  readonly _connection: {
    toImpl(of: Browser | BrowserContext): BidiBrowser | { readonly _browser: BidiBrowser };
  };
}

interface BidiBrowser {
  readonly _browserSession: BidiSession;
}

interface BidiSession {
  send<Result>(method: string, params: object): Promise<Result>;
}

type Answer = { type: 'success' } | { type: 'exception'; exceptionDetails: { text: string } };

/** What Firefox itself does at the end of a session. */
const FORGET_WORKERS = `ChromeUtils.importESModule(
  'chrome://remote/content/shared/js-process-actors/WebDriverWorkerListenerActor.sys.mjs'
).unregisterWebDriverWorkerListenerActor()`;

/**
 * Removes the listener that each session of WebDriver BiDi adds to Firefox's workers. With the listener a new
 * worker waits until the main thread of its process has told of it, and `new Worker()` in a worker sometimes
 * never returns. The browser has to be started as `FIREFOX` says.
 *
 * @param of the browser, or the context of one that was launched with a profile
 */
export async function forgetWorkers(of: Browser | BrowserContext): Promise<void> {
  const found = (of as unknown as Connected)._connection.toImpl(of);
  const session = ('_browser' in found ? found._browser : found)._browserSession;
  const { contexts } = await session.send<{ contexts: { context: string }[] }>('browsingContext.getTree', {
    'moz:scope': 'chrome',
  });
  const target = { context: contexts[0]?.context };
  const script = { expression: FORGET_WORKERS, target, awaitPromise: true };
  const answer = await session.send<Answer>('script.evaluate', script);
  if (answer.type === 'exception') throw new Error(`Firefox: ${answer.exceptionDetails.text}`);
}
