import { isObject, type JsonObject } from '../text/json.ts';
import { ImageError } from './errors.ts';

/** @param what the name for the error */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new ImageError(`${what} is not valid JSON`, 'invalid', { cause: error });
  }
}

/** @param what the name for the error */
export function asObject(value: unknown, what: string): JsonObject {
  if (!isObject(value)) throw new ImageError(`${what} is not a JSON object`);
  return value;
}

/** Reads an optional list. Go's encoders write an empty list as null. @param what the name for the error */
export function asArray(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new ImageError(`${what} is not a list`);
  return value;
}

/**
 * Reads an optional string without NUL, which no argument on Linux can hold.
 * @param what the name for the error
 */
export function asString(value: unknown, what: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string' || value.includes('\0')) throw new ImageError(`${what} is not valid text`);
  return value;
}

export function asStrings(value: unknown, what: string): string[] {
  return asArray(value, what).map((item) => {
    if (typeof item !== 'string') throw new ImageError(`${what} is not a list of texts`);
    return asString(item, what);
  });
}
