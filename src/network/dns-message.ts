/** Messages of the domain name system (RFC 1035, section 4; RFC 6891). */
import type { Address } from './address.ts';
import { read16, write16 } from './bytes.ts';

const TYPE_A = 1;
export const TYPE_AAAA = 28;
export const TYPE_TRANSFER = 252;

export const NO_ERROR = 0;
const FORMAT_ERROR = 1;
export const SERVER_FAILURE = 2;
export const NO_SUCH_NAME = 3;
const NOT_IMPLEMENTED = 4;
export const REFUSED = 5;

const HEADER = 12;
const FLAG_RESPONSE = 0x8000;
const FLAG_TRUNCATED = 0x0200;
const FLAG_RECURSION_DESIRED = 0x0100;
const FLAG_RECURSION_AVAILABLE = 0x0080;
/** Recursion desired, authentic data, checking disabled. */
const PASSED_FLAGS = 0x0130;
const OPCODE = 0x7800;
const TYPE_OPT = 41;
const DNSSEC_OK = 0x80;
/** Without EDNS, a client takes no more over UDP. */
const DEFAULT_SIZE = 512;
/** Answers up to this size arrive in one piece anywhere. */
const SAFE_SIZE = 1232;
const MAX_NAME = 255;

class MalformedMessage extends Error {}

export interface Query {
  readonly id: number;
  readonly flags: number;
  /** The question section. */
  readonly question: Uint8Array;
  readonly type: number;
  /** The client's limits, if it knows EDNS. */
  readonly edns: { readonly size: number; readonly dnssec: boolean } | undefined;
}

/** @returns the query, or the error to answer it with; undefined if it cannot be answered */
export function parseQuery(
  message: Uint8Array,
): Query | { readonly id: number; readonly error: number } | undefined {
  if (message.length < HEADER) return undefined;
  const [id, flags] = [read16(message, 0), read16(message, 2)];
  if ((flags & FLAG_RESPONSE) !== 0) return undefined;
  if ((flags & OPCODE) !== 0) return { id, error: NOT_IMPLEMENTED };
  try {
    if (read16(message, 4) !== 1) throw new MalformedMessage();
    const end = skipName(message, HEADER, false) + 4;
    if (end > message.length) throw new MalformedMessage();
    const edns = parseEdns(message, end);
    return { id, flags, question: message.slice(HEADER, end), type: read16(message, end - 4), edns };
  } catch (error) {
    if (error instanceof MalformedMessage) return { id, error: FORMAT_ERROR };
    throw error;
  }
}

function parseEdns(message: Uint8Array, start: number): Query['edns'] {
  let edns: Query['edns'];
  const records = read16(message, 6) + read16(message, 8) + read16(message, 10);
  for (const { type, at } of resourceRecords(message, start, records))
    if (type === TYPE_OPT) {
      const size = Math.max(DEFAULT_SIZE, read16(message, at + 2));
      edns = { size, dnssec: ((message[at + 6] as number) & DNSSEC_OK) !== 0 };
    }
  return edns;
}

interface ResourceRecord {
  readonly type: number;
  /** Where its type is: after its name. */
  readonly at: number;
  readonly data: Uint8Array;
  readonly end: number;
}

function* resourceRecords(message: Uint8Array, start: number, count: number): Generator<ResourceRecord> {
  let end = start;
  for (let i = 0; i < count; i++) {
    const at = skipName(message, end, true);
    if (at + 10 > message.length) throw new MalformedMessage();
    end = at + 10 + read16(message, at + 8);
    if (end > message.length) throw new MalformedMessage();
    yield { type: read16(message, at), at, data: message.subarray(at + 10, end), end };
  }
}

/** @returns the place after a name, without following its pointers */
function skipName(message: Uint8Array, start: number, mayPoint: boolean): number {
  for (let at = start; at < message.length && at - start <= MAX_NAME; ) {
    const length = message[at] as number;
    if (length === 0) return at + 1;
    if (length >= 0xc0 && mayPoint) return at + 2;
    if (length > 63) break;
    at += 1 + length;
  }
  throw new MalformedMessage();
}

/** The name that is asked for, without control characters. */
export function questionName({ question }: Query): string {
  const labels: string[] = [];
  for (let at = 0; question[at]; at += 1 + (question[at] as number)) {
    const label = question.subarray(at + 1, at + 1 + (question[at] as number));
    labels.push(String.fromCharCode(...label.map((byte) => (byte > 0x20 && byte < 0x7f ? byte : 0x3f))));
  }
  return labels.join('.');
}

/** The address whose name is asked for (RFC 1035, section 3.5; RFC 3596, section 2.5). */
export function reverseAddress(query: Query): Address | undefined {
  const name = questionName(query).toLowerCase();
  const [, digits = '', version] = /^([\da-f.]+)\.(in-addr|ip6)\.arpa$/.exec(name) ?? [];
  const labels = digits.split('.').reverse();
  if (version === 'in-addr' && labels.length === 4 && labels.every((label) => /^\d{1,3}$/.test(label)))
    return Uint8Array.from(labels, Number);
  if (version !== 'ip6' || labels.length !== 32 || labels.some((label) => label.length !== 1))
    return undefined;
  return Uint8Array.from({ length: 16 }, (_, i) =>
    Number.parseInt(`${labels[2 * i]}${labels[2 * i + 1]}`, 16),
  );
}

/** The same query as one of our own. */
export function encodeQuery({ flags, question, edns }: Query, id: number): Uint8Array {
  const header = headerOf(id, (flags & PASSED_FLAGS) | FLAG_RECURSION_DESIRED);
  return join(header, question, edns);
}

/** An answer without records. */
export function encodeEmptyAnswer({ id, flags, question, edns }: Query, code: number): Uint8Array {
  return join(headerOf(id, answerFlags(flags) | code), question, edns);
}

/** An answer to a message that is no query. */
export function encodeError(id: number, code: number): Uint8Array {
  const header = headerOf(id, FLAG_RESPONSE | code);
  write16(header, 4, 0);
  return header;
}

/**
 * Makes the answer to a query from a server's answer to `encodeQuery`. Authority and additional records are
 * left out: the client does not need them.
 * @param mayName whether an answer may contain this address. If it may not, a query for IPv6 addresses
 *   gets an empty answer, and any other "no such name".
 * @throws MalformedMessage, also if it answers something else
 */
export function encodeAnswer(
  query: Query,
  id: number,
  answer: Uint8Array,
  mayName: (address: Address) => boolean,
): Uint8Array {
  const { question } = query;
  const start = HEADER + question.length;
  const isAnswer =
    answer.length >= start &&
    read16(answer, 0) === id &&
    (read16(answer, 2) & FLAG_RESPONSE) !== 0 &&
    read16(answer, 4) === 1 &&
    question.every((byte, index) => answer[HEADER + index] === byte);
  if (!isAnswer) throw new MalformedMessage();
  const count = read16(answer, 6);
  let end = start;
  for (const record of resourceRecords(answer, start, count)) {
    const address = addressIn(record);
    if (address !== undefined && !mayName(address))
      return encodeEmptyAnswer(query, query.type === TYPE_AAAA ? NO_ERROR : NO_SUCH_NAME);
    end = record.end;
  }
  // Authoritative, authentic data, checking disabled, and the code.
  const flags = answerFlags(query.flags) | (read16(answer, 2) & 0x043f);
  const header = headerOf(query.id, flags);
  write16(header, 6, count);
  return join(header, answer.subarray(HEADER, end), query.edns);
}

function addressIn({ type, data }: ResourceRecord): Address | undefined {
  const isAddress = (type === TYPE_A && data.length === 4) || (type === TYPE_AAAA && data.length === 16);
  return isAddress ? data : undefined;
}

/** The answer as it goes over UDP: if it is too long, the client asks again over TCP. */
export function fitDatagram(answer: Uint8Array, query: Query): Uint8Array {
  if (answer.length <= (query.edns?.size ?? DEFAULT_SIZE)) return answer;
  const short = encodeEmptyAnswer(query, NO_ERROR);
  write16(short, 2, read16(short, 2) | FLAG_TRUNCATED);
  return short;
}

/** Whether a server's answer over UDP is only its beginning. */
export function isTruncated(answer: Uint8Array): boolean {
  return answer.length >= HEADER && (read16(answer, 2) & FLAG_TRUNCATED) !== 0;
}

function answerFlags(queryFlags: number): number {
  return FLAG_RESPONSE | FLAG_RECURSION_AVAILABLE | (queryFlags & FLAG_RECURSION_DESIRED);
}

/** With one question. */
function headerOf(id: number, flags: number): Uint8Array {
  const header = new Uint8Array(HEADER);
  write16(header, 0, id);
  write16(header, 2, flags);
  write16(header, 4, 1);
  return header;
}

/** @param edns adds the record that says the same about us */
function join(header: Uint8Array, body: Uint8Array, edns: Query['edns']): Uint8Array {
  const option = edns ? [0, 0, TYPE_OPT, SAFE_SIZE >>> 8, SAFE_SIZE & 0xff, 0, 0, 0, 0, 0, 0] : [];
  if (edns?.dnssec) option[7] = DNSSEC_OK;
  if (edns) write16(header, 10, 1);
  const message = new Uint8Array(header.length + body.length + option.length);
  message.set(header);
  message.set(body, header.length);
  message.set(option, header.length + body.length);
  return message;
}
