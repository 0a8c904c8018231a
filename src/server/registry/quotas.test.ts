import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ProxyError } from './errors.ts';
import { Quotas } from './quotas.ts';

const LIMITS = { concurrent: 3, concurrentPerClient: 2, burst: 4, rate: 0.5 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function refusal(quotas: Quotas, client: string): ProxyError | undefined {
  try {
    quotas.enter(client);
    return undefined;
  } catch (error) {
    if (error instanceof ProxyError) return error;
    throw error;
  }
}

describe('Quotas', () => {
  it('bound the open requests of one client', () => {
    const quotas = new Quotas(LIMITS);
    const leave = quotas.enter('a');
    quotas.enter('a');
    expect(refusal(quotas, 'a')).toMatchObject({ status: 429, code: 'TOOMANYREQUESTS' });
    expect(refusal(quotas, 'b')).toBeUndefined();
    leave();
    expect(refusal(quotas, 'a')).toBeUndefined();
  });

  it('bound the open requests of all clients', () => {
    const quotas = new Quotas(LIMITS);
    const leave = quotas.enter('a');
    quotas.enter('b');
    quotas.enter('c');
    expect(refusal(quotas, 'd')).toMatchObject({ status: 503, headers: { 'Retry-After': '5' } });
    leave();
    expect(refusal(quotas, 'd')).toBeUndefined();
  });

  it('bound the rate of one client', () => {
    const quotas = new Quotas(LIMITS);
    for (let count = 0; count < 4; count++) quotas.enter('a')();
    expect(refusal(quotas, 'a')).toMatchObject({ status: 429, headers: { 'Retry-After': '2' } });
    expect(refusal(quotas, 'b')).toBeUndefined();
    vi.advanceTimersByTime(2000);
    quotas.enter('a')();
    expect(refusal(quotas, 'a')).toBeDefined();
    vi.advanceTimersByTime(3_600_000);
    for (let count = 0; count < 4; count++) quotas.enter('a')();
    expect(refusal(quotas, 'a')).toBeDefined();
  });
});
