import { expect, it, vi } from 'vitest';
import { fakeStorage } from './testing/fake-storage.ts';

const storage = fakeStorage();
vi.stubGlobal('window', { localStorage: storage });
vi.stubGlobal('localStorage', storage);

const { readRelay, useRelay } = await import('./relay.ts');

it('is that of the page’s server until the user names another', () => {
  expect(readRelay(useRelay.getState())).toEqual({ relay: 'on' });
  useRelay.getState().choose(' wss://relay.example.com ');
  expect(readRelay(useRelay.getState())).toEqual({ relay: 'wss://relay.example.com/' });
  expect(storage.getItem('linuxrun-relay')).toContain('wss://relay.example.com');
});

it('explains what is no relay', () => {
  useRelay.getState().choose('relay.example.com');
  expect(readRelay(useRelay.getState()).error).toMatch(/on, off, nor the address of a relay/);
});
