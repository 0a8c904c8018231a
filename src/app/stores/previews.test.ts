import { beforeEach, expect, it, vi } from 'vitest';

interface FakeBridge {
  ready: Promise<void>;
  close: () => void;
}

const opened: { port: number; id: string; bridge: FakeBridge }[] = [];
let ready: Promise<void>;

vi.stubGlobal('location', new URL('http://linuxrun.localhost:8080/'));
const { current } = await import('./connection.ts');
const { usePreviews, whyNoPreviews } = await import('./previews.ts');

const state = () => usePreviews.getState();
const connection = {
  openPreview: (port: number, id: string) => {
    const bridge = { ready, close: vi.fn() };
    opened.push({ port, id, bridge });
    return bridge;
  },
  closePreview: vi.fn(),
};

beforeEach(() => {
  state().reset();
  opened.length = 0;
  ready = Promise.resolve();
  current.connection = connection as unknown as typeof current.connection;
});

it('tells of a port once, until it is dismissed, opened or closed', () => {
  for (const port of [9000, 8000]) state().note({ port, open: true });
  expect(state()).toMatchObject({ listening: [8000, 9000], news: [9000, 8000] });
  state().dismiss(9000);
  state().open(8000, 'id');
  expect(state()).toMatchObject({ listening: [8000, 9000], news: [] });
  for (const port of [8000, 9000]) state().note({ port, open: false });
  for (const port of [8000, 9000]) state().note({ port, open: true });
  expect(state().news).toEqual([9000]);
  state().note({ port: 9000, open: false });
  expect(state()).toMatchObject({ listening: [8000], news: [] });
});

it('opens a preview at an origin of its own, and loads paths', async () => {
  state().open(8000, 'id');
  expect(state()).toMatchObject({ isShown: true, active: 8000 });
  expect(state().previews).toMatchObject([
    { origin: 'http://8000-id.linuxrun.localhost:8080', state: 'connecting', target: '/' },
  ]);
  await vi.waitFor(() => expect(state().previews[0]?.state).toBe('ready'));
  state().follow(8000, '/a');
  expect(state().previews[0]).toMatchObject({ path: '/a', target: '/', load: 0 });
  state().load(8000);
  expect(state().previews[0]).toMatchObject({ path: '/a', target: '/a', load: 1 });
  state().load(8000, '/b');
  expect(state().previews[0]).toMatchObject({ path: '/b', target: '/b', load: 2 });
  state().open(8000, 'id');
  expect(opened).toHaveLength(1);
});

it('closes one preview, and all with the container', async () => {
  for (const port of [1, 2, 3]) state().open(port, 'id');
  state().close(3);
  expect(state()).toMatchObject({ active: 2, isShown: true });
  expect(opened[2]?.bridge.close).toHaveBeenCalled();
  expect(connection.closePreview).toHaveBeenCalledWith(3);
  state().reset();
  expect(state()).toMatchObject({ previews: [], listening: [], active: undefined, isShown: false });
  for (const { bridge } of opened) expect(bridge.close).toHaveBeenCalledTimes(1);
});

it('says why there is no preview', async () => {
  ready = Promise.reject(new Error('Nothing answers'));
  state().open(8000, 'id');
  await vi.waitFor(() =>
    expect(state().previews[0]).toMatchObject({ state: 'failed', problem: 'Nothing answers' }),
  );
});

it.each([
  ['http://localhost:8080/', /cannot open http:\/\/linuxrun.localhost:8080/],
  ['http://127.0.0.1/', /cannot open/],
  ['https://192.0.2.1/', /an address has none/],
  ['https://[2001:db8::1]/', /an address has none/],
])('knows that %s has no previews', (url, reason) =>
  expect(whyNoPreviews(new URL(url) as unknown as Location)).toMatch(reason),
);

it.each(['http://linuxrun.localhost:8080/', 'https://run.example.com/'])('tries at %s', (url) =>
  expect(whyNoPreviews(new URL(url) as unknown as Location)).toBeUndefined(),
);
