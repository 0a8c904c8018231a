/**
 * The protocol between a relay and its client. Each binary message of the WebSocket is an Ethernet frame.
 * Each text message is a JSON object as below. A client that does not ask for the subprotocol, such as v86,
 * neither gets nor sends text messages. Neither end trusts the other.
 */
import { clean } from '../text/message.ts';
import { REFUSAL_REASONS, type Refusal } from './refusal.ts';

export const RELAY_PATH = '/relay';
/** A client sends POST to this path before each connection; `parseTokenAnswer` reads the answer. */
export const TOKEN_PATH = '/relay/token';

export const RELAY_PROTOCOL = 'linuxrun.relay.1';
const TOKEN_PREFIX = 'token.';
/** A token is base64url, with points between its parts (RFC 6455, section 11.3.4: a token of HTTP). */
const TOKEN = /^[\w.-]{1,512}$/;

/** How many bytes of frames either end may send before the other one has acknowledged them. */
export const RELAY_WINDOW = 2 << 20;
/** The largest message of a WebSocket, which holds any frame. */
export const MAX_MESSAGE = 128 << 10;
/** Longer text messages end the session. */
export const MAX_TEXT = 4096;

/** A limit that can hold a session back: bytes a second, or connections at once. */
export type RelayLimit = 'rate' | 'connections';
const RELAY_LIMITS: readonly RelayLimit[] = ['rate', 'connections'];

/** Why a relay ends a session. A client may come back at once after all but `protocol`. */
const RELAY_ENDS = ['idle', 'lifetime', 'shutdown', 'protocol'] as const;
export type RelayEnd = (typeof RELAY_ENDS)[number];

/** The first message of a relay. */
export interface RelayConfig {
  readonly type: 'config';
  /** The largest packet in both directions. */
  readonly mtu: number;
  /** Whether the relay takes incomplete checksums and segments that are larger than the MTU. */
  readonly offloads: boolean;
  /** Bytes a second in each direction. */
  readonly rate: number;
  /** TCP connections at a time. */
  readonly connections: number;
}

/**
 * Bytes of frames that the sender of this message has taken since its last one. It is sent for every 256 KiB,
 * and for fewer after a tenth of a second.
 */
export interface RelayAck {
  readonly type: 'ack';
  readonly bytes: number;
}

export type RelayMessage =
  | RelayConfig
  | RelayAck
  /** Sent when `active` or `refused` has changed; `refused` counts all refusals of the session. */
  | { readonly type: 'limit'; readonly active: readonly RelayLimit[]; readonly refused: number }
  /** Not sent for every refusal: there are only a few a second. */
  | ({ readonly type: 'refused' } & Refusal)
  | { readonly type: 'error'; readonly reason: RelayEnd }
  /** Answers a ping. */
  | { readonly type: 'pong' };

/** Browsers do not show the pings of WebSockets, so clients ask whether the relay is still there. */
export type ClientMessage = RelayAck | { readonly type: 'ping' };

/** The other end violates the protocol. */
export class RelayProtocolError extends Error {
  override name = 'RelayProtocolError';
}

export function formatMessage(message: RelayMessage | ClientMessage): string {
  return JSON.stringify(message);
}

/** @throws RelayProtocolError */
export function parseRelayMessage(text: string): RelayMessage {
  const fields = parseObject(text);
  switch (fields.type) {
    case 'config':
      return {
        type: 'config',
        mtu: integer(fields, 'mtu', 576, 65_520),
        offloads: boolean(fields, 'offloads'),
        rate: integer(fields, 'rate', 1),
        connections: integer(fields, 'connections', 1),
      };
    case 'ack':
      return parseAck(fields);
    case 'limit':
      return {
        type: 'limit',
        active: list(fields, 'active', RELAY_LIMITS),
        refused: integer(fields, 'refused', 0),
      };
    case 'refused':
      return {
        type: 'refused',
        destination: matching(fields, 'destination', DESTINATION),
        reason: oneOf(fields.reason, 'reason', REFUSAL_REASONS),
      };
    case 'pong':
      return { type: 'pong' };
    case 'error':
      return { type: 'error', reason: oneOf(fields.reason, 'reason', RELAY_ENDS) };
    default:
      throw new RelayProtocolError('unknown type of message');
  }
}

/** @throws RelayProtocolError */
export function parseClientMessage(text: string): ClientMessage {
  const fields = parseObject(text);
  if (fields.type === 'ping') return { type: 'ping' };
  if (fields.type !== 'ack') throw new RelayProtocolError('unknown type of message');
  return parseAck(fields);
}

/** The subprotocols that a client asks for (Sec-WebSocket-Protocol). */
export function offerProtocols(token: string): string[] {
  return [RELAY_PROTOCOL, TOKEN_PREFIX + token];
}

/** Reads the header Sec-WebSocket-Protocol. */
export function parseProtocols(header: string | undefined): { isOurs: boolean; token: string | undefined } {
  const offered = (header ?? '').split(',').map((each) => each.trim());
  const token = offered.find((each) => each.startsWith(TOKEN_PREFIX))?.slice(TOKEN_PREFIX.length);
  return {
    isOurs: offered.includes(RELAY_PROTOCOL),
    token: token !== undefined && TOKEN.test(token) ? token : undefined,
  };
}

/**
 * - `off`: the server has no relay
 * - `forbidden`: the request does not come from a page of the server
 * - `sessions`: the client has all the sessions that it may have
 * - `busy`: the relay has all the sessions that it can have
 * - `missing`: no server of ours answers, but a host of static files
 */
export type TokenRefusal = 'off' | 'forbidden' | 'sessions' | 'busy' | 'missing';
const TOKEN_REFUSALS = ['off', 'forbidden', 'sessions', 'busy'] as const;

export type TokenAnswer =
  | { readonly token: string }
  /** `message` is one line for the user. */
  | { readonly refused: TokenRefusal; readonly message: string };

export function formatTokenAnswer(answer: TokenAnswer): string {
  return JSON.stringify(answer);
}

/** Reads the body of an answer to POST `TOKEN_PATH`, whatever its status is. */
export function parseTokenAnswer(text: string): TokenAnswer {
  try {
    const fields = parseObject(text);
    if (fields.refused === undefined) return { token: matching(fields, 'token', TOKEN) };
    const refused = oneOf(fields.refused, 'refused', TOKEN_REFUSALS);
    return { refused, message: clean(matching(fields, 'message', /./)) };
  } catch (error) {
    if (error instanceof RelayProtocolError)
      return { refused: 'missing', message: 'the host of this page has no relay' };
    throw error;
  }
}

/** Names may have any characters that can be seen. That of the root is empty. */
const DESTINATION = /^[!-~]{0,300}$/;

type Fields = Readonly<Record<string, unknown>>;

function parseObject(text: string): Fields {
  if (text.length > MAX_TEXT) throw new RelayProtocolError('the message is too long');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RelayProtocolError('the message is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RelayProtocolError('the message is not an object');
  return value as Fields;
}

function parseAck(fields: Fields): RelayAck {
  return { type: 'ack', bytes: integer(fields, 'bytes', 1) };
}

function integer(fields: Fields, name: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = fields[name];
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most)
    throw wrong(name);
  return value as number;
}

function boolean(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value !== 'boolean') throw wrong(name);
  return value;
}

function matching(fields: Fields, name: string, pattern: RegExp): string {
  const value = fields[name];
  if (typeof value !== 'string' || !pattern.test(value)) throw wrong(name);
  return value;
}

function oneOf<T extends string>(value: unknown, name: string, values: readonly T[]): T {
  const found = values.find((each) => each === value);
  if (found === undefined) throw wrong(name);
  return found;
}

function list<T extends string>(fields: Fields, name: string, values: readonly T[]): readonly T[] {
  const value = fields[name];
  if (!Array.isArray(value) || value.length > values.length) throw wrong(name);
  return value.map((each) => oneOf(each, name, values));
}

function wrong(name: string): RelayProtocolError {
  return new RelayProtocolError(`wrong value of "${name}"`);
}
