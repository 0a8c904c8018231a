/** The opening handshake of WebSocket (RFC 6455, section 4.1). */
import { toBytes } from '../disk/byte-string.ts';
import { type Connect, Connection } from './connection.ts';
import { HttpError } from './errors.ts';
import { type Field, fieldValue, isToken, listOf } from './fields.ts';
import { readFinalHead } from './read-head.ts';
import { checkRequest, encodeHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

export interface WebSocketOptions {
  /** Subprotocols, of which the server chooses one. */
  readonly protocols?: readonly string[] | undefined;
  /** Further fields, such as Origin and Cookie. */
  readonly headers?: Iterable<Field> | undefined;
  /** The port to connect to, instead of the URL's. */
  readonly port?: number | undefined;
  /** Ends the handshake. */
  readonly signal?: AbortSignal | undefined;
}

export interface Opened {
  readonly connection: Connection;
  /** The subprotocol, or an empty string. */
  readonly protocol: string;
  /** Fields of the server's response. */
  readonly fields: readonly Field[];
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** @throws TypeError if the request is invalid; HttpError if the server refuses; the signal's reason */
export async function shakeHands(connect: Connect, url: string, options: WebSocketOptions): Promise<Opened> {
  const { protocols = [], headers = [], signal } = options;
  signal?.throwIfAborted();
  if (!protocols.every(isToken) || new Set(protocols).size < protocols.length)
    throw new TypeError('subprotocols must be different tokens');
  const own = [...headers].filter(([name]) => !name.toLowerCase().startsWith('sec-websocket-'));
  const request = checkRequest({ method: 'GET', url: url.replace(/^ws:/i, 'http:'), headers: own });
  const key = base64(crypto.getRandomValues(new Uint8Array(16)));
  const connection = new Connection(await connect(options.port ?? request.port, signal));
  const abort = () => connection.destroy(signal?.reason);
  signal?.addEventListener('abort', abort);
  try {
    signal?.throwIfAborted();
    await connection.write(encodeHead(request, null, handshakeFields(key, protocols)));
    const head = await readFinalHead(connection, () => {});
    await checkHead(head, key);
    return { connection, protocol: chosenProtocol(head, protocols), fields: head.fields };
  } catch (error) {
    connection.destroy(error);
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function handshakeFields(key: string, protocols: readonly string[]): Field[] {
  const fields: Field[] = [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', key],
  ];
  return protocols.length === 0 ? fields : [...fields, ['Sec-WebSocket-Protocol', protocols.join(', ')]];
}

async function checkHead({ status, statusText, fields }: ResponseHead, key: string): Promise<void> {
  if (status !== 101)
    throw new HttpError(
      `the server answered ${`${status} ${statusText}`.trim()} instead of opening a WebSocket`,
    );
  const upgraded =
    fieldValue(fields, 'upgrade')?.toLowerCase() === 'websocket' &&
    listOf(fieldValue(fields, 'connection')).includes('upgrade');
  if (!upgraded) throw new HttpError('the server changed to another protocol than WebSocket');
  if (fieldValue(fields, 'sec-websocket-accept') !== (await acceptOf(key)))
    throw new HttpError(
      'the server did not prove that it knows WebSocket: its Sec-WebSocket-Accept is wrong',
    );
  if (fieldValue(fields, 'sec-websocket-extensions'))
    throw new HttpError('the server wants WebSocket extensions that were not offered');
}

function chosenProtocol({ fields }: ResponseHead, protocols: readonly string[]): string {
  const protocol = fieldValue(fields, 'sec-websocket-protocol') ?? '';
  if (protocols.length === 0 && protocol === '') return '';
  if (protocols.includes(protocol)) return protocol;
  throw new HttpError('the server chose none of the subprotocols that were offered');
}

async function acceptOf(key: string): Promise<string> {
  return base64(new Uint8Array(await crypto.subtle.digest('SHA-1', toBytes(key + GUID))));
}

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
