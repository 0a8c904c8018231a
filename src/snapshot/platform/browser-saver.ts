import { browserStore } from '../../storage/browser.ts';
import { serveSaver } from './port.ts';

const receive = serveSaver(
  () => browserStore().sessions,
  (message) => postMessage(message),
);
addEventListener('message', ({ data }) => receive(data));
