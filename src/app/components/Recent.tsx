import { readLink } from '../model/link.ts';
import { canonicalName, shortName } from '../model/names.ts';
import { useForm } from '../stores/form.ts';
import { useLibrary } from '../stores/library.ts';
import { useRecent } from '../stores/recent.ts';
import { IconButton } from './Button.tsx';
import { showForm } from './focus.ts';

/** Recent runs, to run again with the same options. */
export function Recent() {
  const links = useRecent((recent) => recent.links);
  if (links.length === 0) return null;
  return (
    <section className="shelf">
      <h2>Run before</h2>
      <ul className="recent-items">
        {links.map((link) => (
          <RecentItem key={link} link={link} />
        ))}
      </ul>
    </section>
  );
}

function RecentItem({ link }: { link: string }) {
  const fill = useForm((state) => state.fill);
  const forget = useRecent((recent) => recent.forget);
  const { image, entrypoint, args } = readLink(link).form;
  const reference = canonicalName(image);
  const isStored = useLibrary(({ images }) => images.some((stored) => stored.reference === reference));
  const name = shortName(reference ?? image);
  const command = [entrypoint, args].filter((text) => text !== '').join(' ');
  return (
    <li className="recent-item">
      <button
        type="button"
        className="recent-fill"
        onClick={() => {
          fill(link);
          showForm();
        }}
      >
        <span className="item-name">
          {name}
          {isStored && <span className="badge">Stored</span>}
        </span>
        {command && <code>{command}</code>}
      </button>
      <IconButton icon="close" label={`Forget ${name} ${command}`.trim()} onClick={() => forget(link)} />
    </li>
  );
}
