import { create } from 'zustand';
import { isLocalAddress, LOCAL_NAME, previewOrigin } from '../../preview/names.ts';
import { messageOf } from '../../text/message.ts';
import type { Bridge } from '../machine/bridge.ts';
import type { SavedView } from '../model/saved-view.ts';
import { current } from './connection.ts';

export interface Preview {
  readonly port: number;
  readonly origin: string;
  readonly state: 'connecting' | 'ready' | 'failed';
  /** Why there is none. */
  readonly problem: string;
  /** The path and query that the frame has reported. */
  readonly path: string;
  /** The path that the frame loads. Another `load` loads it anew. */
  readonly target: string;
  readonly load: number;
}

interface PreviewsState {
  /** The ports on which servers listen, in ascending order. */
  readonly listening: readonly number[];
  /** Ports that have opened, and that the user has not looked at or dismissed. */
  readonly news: readonly number[];
  readonly previews: readonly Preview[];
  readonly active: number | undefined;
  readonly isShown: boolean;

  /** Takes a change of a port. */
  note(change: { readonly port: number; readonly open: boolean }): void;
  dismiss(port: number): void;
  /** Opens the preview of a port, or shows it. @param id the session's */
  open(port: number, id: string): void;
  close(port: number): void;
  show(): void;
  hide(): void;
  activate(port: number): void;
  /** Loads a path, or the present one anew. */
  load(port: number, path?: string): void;
  /** Takes the path that the frame has reported. */
  follow(port: number, path: string): void;
  /** Opens the previews of a saved session again. */
  restore(saved: SavedView['previews']): void;
  /** Forgets everything, because the container has ended. */
  reset(): void;
}

const NOTHING = { listening: [], news: [], previews: [], active: undefined, isShown: false };

/** Why the page can have no previews, if so. */
export function whyNoPreviews({ protocol, hostname, port }: Location): string | undefined {
  if (isLocalAddress(hostname) && protocol === 'http:')
    return `A preview needs a name of its own. This browser cannot open http://${LOCAL_NAME}:${port}, or another server answers there.`;
  if (/^[\d.]+$|^\[/.test(hostname))
    return 'A preview needs a name below that of this page, and an address has none.';
  return undefined;
}

export const usePreviews = create<PreviewsState>((set, get) => {
  const bridges = new Map<number, Bridge>();
  const change = (port: number, change: Partial<Preview>) =>
    set(({ previews }) => ({
      previews: previews.map((preview) => (preview.port === port ? { ...preview, ...change } : preview)),
    }));
  const without = (ports: readonly number[], port: number) => ports.filter((other) => other !== port);

  const connect = async (port: number, id: string) => {
    const bridge = current.connection?.openPreview(port, id);
    if (!bridge) return;
    bridges.set(port, bridge);
    const result = await bridge.ready.then(
      () => ({ state: 'ready' }) as const,
      (error: unknown) => ({ state: 'failed', problem: messageOf(error) }) as const,
    );
    if (bridges.get(port) === bridge) change(port, result);
  };

  return {
    ...NOTHING,
    note: ({ port, open }) =>
      set(({ listening, news, previews }) => {
        const isNews = open && !previews.some((preview) => preview.port === port);
        return {
          listening: [...without(listening, port), ...(open ? [port] : [])].sort((a, b) => a - b),
          news: [...without(news, port), ...(isNews ? [port] : [])],
        };
      }),
    dismiss: (port) => set(({ news }) => ({ news: without(news, port) })),
    open: (port, id) => {
      get().dismiss(port);
      set({ isShown: true, active: port });
      if (get().previews.some((preview) => preview.port === port)) return;
      const problem = whyNoPreviews(location) ?? '';
      const preview: Preview = {
        ...{ port, origin: previewOrigin(new URL(location.origin), port, id), problem },
        ...{ state: problem ? 'failed' : 'connecting', path: '/', target: '/', load: 0 },
      };
      set(({ previews }) => ({ previews: [...previews, preview] }));
      if (!problem) void connect(port, id);
    },
    close: (port) => {
      bridges.get(port)?.close();
      bridges.delete(port);
      current.connection?.closePreview(port);
      set(({ previews, active }) => {
        const left = previews.filter((preview) => preview.port !== port);
        const next = active === port ? left.at(-1)?.port : active;
        return { previews: left, active: next, isShown: next !== undefined };
      });
    },
    show: () => set({ isShown: true }),
    hide: () => set({ isShown: false }),
    activate: (active) => set({ active }),
    load: (port, path) => {
      const preview = get().previews.find((preview) => preview.port === port);
      if (!preview) return;
      const target = path ?? preview.path;
      change(port, { path: target, target, load: preview.load + 1 });
    },
    follow: (port, path) => change(port, { path }),
    restore: ({ id, isShown, active, open }) => {
      for (const { port, path } of open) {
        get().open(port, id);
        get().load(port, path);
      }
      if (open.some(({ port }) => port === active)) set({ active });
      set({ isShown: isShown && open.length > 0 });
    },
    reset: () => {
      for (const bridge of bridges.values()) bridge.close();
      bridges.clear();
      set(NOTHING);
    },
  };
});
