/** Names and values of header fields (RFC 9110, section 5). A value is a string of code units 0 to 255. */
export type Field = readonly [name: string, value: string];

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Also the obsolete bytes above ASCII, which servers send as UTF-8 or ISO 8859-1. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Fields about one connection, which end with it (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

export const isToken = (text: string): boolean => TOKEN.test(text);

export const isFieldValue = (text: string): boolean => VALUE.test(text);

/** All values of a name, as one list (RFC 9110, section 5.3), or undefined if there is none. */
export function fieldValue(fields: readonly Field[], name: string): string | undefined {
  const values = fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
  return values.length > 0 ? values.join(', ') : undefined;
}

/** The members of a list of tokens, in lower case. */
export function listOf(value: string | undefined): string[] {
  const members = (value ?? '').split(',').map((member) => member.trim().toLowerCase());
  return members.filter((member) => member !== '');
}

/** The fields that a proxy passes on. */
export function endToEnd(fields: readonly Field[]): Field[] {
  const dropped = new Set([...HOP_BY_HOP, ...listOf(fieldValue(fields, 'connection'))]);
  return fields.filter(([name]) => !dropped.has(name.toLowerCase()));
}
