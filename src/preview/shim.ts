/**
 * Runs before all scripts of a document or worker of a preview, and gives them what a service worker cannot:
 * WebSockets to the container, cookies, and bodies that are streams.
 */
import { reportPath } from './report-path.ts';
import { shimCookies } from './shim-cookies.ts';
import { shimRegistration } from './shim-registration.ts';
import { shimStreams } from './shim-streams.ts';
import { shimWebSocket } from './shim-web-socket.ts';
import { shimWorkers } from './shim-workers.ts';

shimRegistration();
const send = shimWorkers();
shimWebSocket(send);
shimStreams();
if ('document' in self) {
  shimCookies(send);
  reportPath();
}
