import { HttpClient } from '../http/client.ts';
import type { Connect } from '../http/connection.ts';
import { CookieJar } from '../http/cookie-jar.ts';
import { openWebSocket } from '../http/websocket.ts';
import { Gateway, type Servers } from './gateway.ts';
import { previewOrigin } from './names.ts';

/** The previews of a container's ports. */
export class Previews {
  readonly #servers: Servers & { readonly http: HttpClient };
  readonly #gateways = new Map<number, Gateway>();

  /** @param page the URL of the page @param id the session's, in the origins of its previews */
  constructor(connect: Connect, page: URL, id: string) {
    this.#servers = {
      http: new HttpClient(connect),
      openSocket: (url, options) => openWebSocket(connect, url, options),
      jar: new CookieJar(),
      originOf: (port) => previewOrigin(page, port, id),
    };
  }

  /** @param bridge a port to the bridge at the preview's origin */
  open(port: number, bridge: MessagePort): void {
    this.close(port);
    this.#gateways.set(port, new Gateway(port, bridge, this.#servers));
  }

  close(port: number): void {
    this.#gateways.get(port)?.close();
    this.#gateways.delete(port);
  }

  end(): void {
    for (const port of this.#gateways.keys()) this.close(port);
    this.#servers.http.close();
  }
}
