import { describe, expect, it, vi } from 'vitest';
import { sha256 } from '../../oci/testing/image.ts';
import type { CacheWriter } from './cache.ts';
import { Deadline } from './deadline.ts';
import { ProxyError } from './errors.ts';
import { forward, toBody } from './forward.ts';

const CONTENT = Buffer.from('alpha beta gamma');

interface Changes {
  readonly content?: Buffer;
  readonly length?: number;
  readonly limit?: number;
}

function begin(changes: Changes = {}) {
  const { content = CONTENT, length = CONTENT.length, limit = 1000 } = changes;
  const client = new AbortController();
  const deadline = new Deadline(client.signal, 5000, new ProxyError(504, 'UNAVAILABLE', 'too slow'));
  const writer = { write: vi.fn(), commit: vi.fn(), abort: vi.fn() } satisfies CacheWriter;
  const onEnd = vi.fn();
  const source = vi.fn();
  async function* pieces() {
    source();
    for (let at = 0; at < content.length; at += 4) yield content.subarray(at, at + 4);
  }
  const bytes = forward(pieces(), {
    host: 'registry.example',
    length,
    limit,
    digest: sha256(CONTENT),
    writer,
    stall: 5000,
    deadline,
  });
  return { body: toBody(bytes, deadline, onEnd), client, writer, onEnd, source };
}

async function read(body: ReadableStream<Uint8Array>): Promise<{ text: string; error: unknown }> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of body) parts.push(part);
    return { text: Buffer.concat(parts).toString(), error: undefined };
  } catch (error) {
    return { text: Buffer.concat(parts).toString(), error };
  }
}

describe('forward', () => {
  it('passes on correct bodies, and commits them', async () => {
    const { body, writer, onEnd } = begin();
    expect(await read(body)).toEqual({ text: 'alpha beta gamma', error: undefined });
    expect(writer.commit).toHaveBeenCalledOnce();
    expect(onEnd).toHaveBeenCalled();
  });

  it.each<[string, Changes]>([
    ['forged', { content: Buffer.from('alpha beta Gamma') }],
    ['too short', { content: CONTENT.subarray(0, 9) }],
    ['too long', { length: 10 }],
    ['beyond the limit', { limit: 10 }],
  ])('holds back the end of what is %s', async (_, changes) => {
    const { body, writer, onEnd } = begin(changes);
    const { text, error } = await read(body);
    expect(error).toBeInstanceOf(ProxyError);
    expect(text.length).toBeLessThan(Math.min((changes.content ?? CONTENT).length, changes.length ?? 1000));
    expect(writer.commit).not.toHaveBeenCalled();
    expect(writer.abort).toHaveBeenCalled();
    expect(onEnd).toHaveBeenCalled();
  });

  it('reads only on request', async () => {
    const { body, source } = begin();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(source).not.toHaveBeenCalled();
    await body.cancel();
  });

  it.each(['before', 'after'])('leaves nothing behind when it is given up %s it was begun', async (when) => {
    const { body, writer, onEnd } = begin();
    const reader = body.getReader();
    if (when === 'after') await reader.read();
    await reader.cancel();
    await expect.poll(() => onEnd).toHaveBeenCalled();
    expect(writer.abort).toHaveBeenCalled();
    expect(writer.commit).not.toHaveBeenCalled();
  });

  it('ends when the client leaves', async () => {
    const { client, writer, onEnd } = begin();
    client.abort();
    await expect.poll(() => onEnd).toHaveBeenCalled();
    expect(writer.abort).toHaveBeenCalled();
  });
});
