import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { PathReport } from '../../preview/messages.ts';
import { toPath } from '../model/preview-path.ts';
import { type Preview, usePreviews } from '../stores/previews.ts';
import { useSession } from '../stores/session.ts';
import { Button, IconButton } from './Button.tsx';
import { Icon } from './Icon.tsx';
import { PREVIEW_BUTTON_ID } from './PreviewButton.tsx';

/** What a preview may do. It cannot navigate the page. */
const SANDBOX = 'allow-scripts allow-same-origin allow-forms allow-modals allow-popups allow-downloads';
/** The longest path that is shown. */
const LONGEST_PATH = 2048;

/** The previews of the container's ports, one of which is visible. */
export default function PreviewPane() {
  const { previews, active } = usePreviews();
  return (
    <section className="previews" aria-label="Preview">
      <PreviewTabs />
      {previews.map((preview) => (
        <div
          key={preview.port}
          className="preview"
          role="tabpanel"
          id={`preview-${preview.port}`}
          aria-labelledby={`preview-tab-${preview.port}`}
          hidden={preview.port !== active}
        >
          <AddressBar preview={preview} />
          <Content preview={preview} />
        </div>
      ))}
    </section>
  );
}

function PreviewTabs() {
  const { previews, listening, active, activate, open, close } = usePreviews();
  const id = useSession(({ run }) => run?.previewId ?? '');
  const others = listening.filter((port) => !previews.some((preview) => preview.port === port));
  const move = ({ key }: KeyboardEvent) => {
    const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
    const at = previews.findIndex(({ port }) => port === active);
    const next = previews[(at + step + previews.length) % previews.length];
    if (step === 0 || !next) return;
    activate(next.port);
    document.getElementById(`preview-tab-${next.port}`)?.focus();
  };
  const closeActive = () => {
    if (active !== undefined) close(active);
    if (!usePreviews.getState().isShown) document.getElementById(PREVIEW_BUTTON_ID)?.focus();
  };
  return (
    <div className="tabs">
      <div role="tablist" aria-label="Previews" className="tab-list" onKeyDown={move}>
        {previews.map(({ port }) => (
          <button
            key={port}
            type="button"
            role="tab"
            id={`preview-tab-${port}`}
            aria-controls={`preview-${port}`}
            aria-selected={port === active}
            tabIndex={port === active ? 0 : -1}
            onClick={() => activate(port)}
          >
            Port {port}
          </button>
        ))}
      </div>
      {others.map((port) => (
        <Button key={port} icon="plus" look="quiet" onClick={() => open(port, id)}>
          Port {port}
        </Button>
      ))}
      <IconButton icon="close" label="Close the preview" className="tabs-end" onClick={closeActive} />
    </div>
  );
}

/** The path of the page in the preview. A frame of another origin hides it, so the preview tells it. */
function AddressBar({ preview: { port, origin, path, state } }: { preview: Preview }) {
  const { load } = usePreviews();
  const [typed, setTyped] = useState<string>();
  return (
    <form
      className="preview-bar"
      onSubmit={(event) => {
        event.preventDefault();
        load(port, toPath(typed ?? path));
        setTyped(undefined);
      }}
    >
      <IconButton icon="restart" label="Reload" disabled={state !== 'ready'} onClick={() => load(port)} />
      <label className="preview-address">
        <span aria-hidden="true">localhost:{port}</span>
        <input
          aria-label="Path"
          value={typed ?? path}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          onChange={({ target }) => setTyped(target.value)}
          onBlur={() => setTyped(undefined)}
          onKeyDown={({ key }) => key === 'Escape' && setTyped(undefined)}
        />
      </label>
      {state === 'ready' && (
        <a
          className="button button-quiet button-icon"
          href={origin + path}
          target="_blank"
          rel="noopener"
          aria-label="Open in a tab"
          title="Open in a tab"
        >
          <Icon name="newTab" />
        </a>
      )}
    </form>
  );
}

function Content({ preview: { port, origin, state, problem, target, load } }: { preview: Preview }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const follow = usePreviews((previews) => previews.follow);
  useEffect(() => {
    const hear = ({ origin: sender, source, data }: MessageEvent<PathReport>) => {
      if (sender !== origin || source !== frame.current?.contentWindow) return;
      if (data?.type !== 'linuxrun-path' || typeof data.path !== 'string') return;
      if (data.path.startsWith('/')) follow(port, data.path.slice(0, LONGEST_PATH));
    };
    addEventListener('message', hear);
    return () => removeEventListener('message', hear);
  }, [origin, port, follow]);
  if (state === 'failed')
    return (
      <div className="preview-problem" role="alert">
        <h2>There is no preview</h2>
        <p>{problem}</p>
      </div>
    );
  if (state === 'connecting') return <p className="preview-problem">Connecting</p>;
  return (
    <iframe
      key={load}
      ref={frame}
      className="preview-frame"
      title={`Preview of port ${port}`}
      src={origin + target}
      sandbox={SANDBOX}
    />
  );
}
