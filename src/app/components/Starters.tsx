import { STARTERS, type Starter } from '../model/starters.ts';
import { useProject } from '../stores/project.ts';

/** Projects to start with: files in the editor, a terminal, and a preview of what serves pages. */
export function Starters({ canRun }: { canRun: boolean }) {
  return (
    <section className="shelf" aria-label="Projects to start with">
      <h2>Start a project</h2>
      <p className="quiet">
        Files, an editor, a terminal and a preview side by side. Each is kept in this browser.
      </p>
      <ul className="shelf-items">
        {STARTERS.map((starter) => (
          <StarterItem key={starter.id} starter={starter} canRun={canRun} />
        ))}
      </ul>
    </section>
  );
}

function StarterItem({ starter, canRun }: { starter: Starter; canRun: boolean }) {
  const { id, name, purpose, image } = starter;
  return (
    <li>
      <button
        type="button"
        className="item"
        disabled={!canRun}
        onClick={() => void useProject.getState().runStarter(id)}
      >
        <span className="item-name">
          {name}
          {image === undefined && <span className="badge">Instant</span>}
        </span>
        <span className="item-purpose">{purpose}</span>
        {image !== undefined && <code>{image}</code>}
      </button>
    </li>
  );
}
