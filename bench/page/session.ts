/** The session of the benchmark in a page, whose functions the benchmark calls from outside. */
import * as api from '../../src/api/browser.ts';
import { measureSession } from '../session-run.ts';

api.configure({ assets: new URL('/', location.href) });

Object.assign(globalThis, {
  measureHere: (starts: number) => measureSession(api, 'oci://session-images:python', starts),
});
