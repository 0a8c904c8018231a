import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QuotaError, Quotas } from './quotas.ts';

const LIMITS = { concurrent: 3, concurrentPerClient: 2, burst: 4, rate: 0.5 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function refusal(quotas: Quotas, client: string): QuotaError | undefined {
  try {
    quotas.enter(client);
    return undefined;
  } catch (error) {
    if (error instanceof QuotaError) return error;
    throw error;
  }
}

describe('Quotas', () => {
  it('bound the open requests of one client', () => {
    const quotas = new Quotas(LIMITS);
    const leave = quotas.enter('a');
    quotas.enter('a');
    expect(refusal(quotas, 'a')).toMatchObject({ status: 429, quota: 'client' });
    expect(refusal(quotas, 'b')).toBeUndefined();
    leave();
    expect(refusal(quotas, 'a')).toBeUndefined();
  });

  it('bound the open requests of all clients', () => {
    const quotas = new Quotas(LIMITS);
    const leave = quotas.enter('a');
    quotas.enter('b');
    quotas.enter('c');
    expect(refusal(quotas, 'd')).toMatchObject({ status: 503, quota: 'server', wait: 5 });
    leave();
    expect(refusal(quotas, 'd')).toBeUndefined();
  });

  it('bound the rate of one client', () => {
    const quotas = new Quotas(LIMITS);
    for (let count = 0; count < 4; count++) quotas.enter('a')();
    expect(refusal(quotas, 'a')).toMatchObject({ status: 429, quota: 'rate', wait: 2 });
    expect(refusal(quotas, 'b')).toBeUndefined();
    vi.advanceTimersByTime(2000);
    quotas.enter('a')();
    expect(refusal(quotas, 'a')).toBeDefined();
    vi.advanceTimersByTime(3_600_000);
    for (let count = 0; count < 4; count++) quotas.enter('a')();
    expect(refusal(quotas, 'a')).toBeDefined();
  });

  it('tell beforehand whether a request would be admitted', () => {
    const quotas = new Quotas(LIMITS);
    for (let count = 0; count < 10; count++) quotas.check('a');
    quotas.enter('a');
    quotas.enter('a');
    expect(() => quotas.check('a')).toThrow(QuotaError);
    quotas.check('b');
  });
});
