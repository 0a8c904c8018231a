import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readLink } from '../model/link.ts';
import { cleanAddress, readAddress } from './address.ts';
import { fakeStorage } from './testing/fake-storage.ts';

const QUERY = '?LINUXRUN_IMAGE=alpine&LINUXRUN_ENV=TOKEN=secret';
const ADDRESS = '?LINUXRUN_IMAGE=alpine&LINUXRUN_ENV=TOKEN=';

const location = { search: '' };

beforeEach(() => {
  location.search = QUERY;
  vi.stubGlobal('location', location);
  vi.stubGlobal('history', {
    replaceState: (_: unknown, __: unknown, query: string) => {
      location.search = query;
    },
  });
  vi.stubGlobal('sessionStorage', fakeStorage());
});

afterEach(() => vi.unstubAllGlobals());

it('removes the values of variables from the address, and restores them after a reload', () => {
  cleanAddress(readLink(QUERY).form, QUERY);
  expect(location.search).toBe(ADDRESS);
  expect(readLink(readAddress()).form.env).toEqual([{ name: 'TOKEN', value: 'secret' }]);
});

it('keeps values of a link that the form cannot hold', () => {
  const query = '?LINUXRUN_IMAGE=alpine&LINUXRUN_ENV=secret&LINUXRUN_COLOR=red';
  location.search = query;
  cleanAddress(readLink(query).form, query);
  expect(location.search).toBe('?LINUXRUN_IMAGE=alpine');
  expect(readAddress()).toBe(query);
});

it('gives the values to no other address', () => {
  cleanAddress(readLink(QUERY).form, QUERY);
  for (const search of ['', '?LINUXRUN_IMAGE=evil&LINUXRUN_ENV=TOKEN=', `${ADDRESS}&LINUXRUN_ARGS=env`]) {
    location.search = search;
    expect(readAddress()).toBe(search);
  }
});

it('works without storage, and with damaged storage', () => {
  vi.stubGlobal('sessionStorage', fakeStorage({ 'linuxrun-address': '{' }));
  expect(readAddress()).toBe(QUERY);
  vi.stubGlobal('sessionStorage', undefined);
  cleanAddress(readLink(QUERY).form, QUERY);
  expect(location.search).toBe(ADDRESS);
  expect(readAddress()).toBe(ADDRESS);
});
