import { Fragment } from 'react';
import { Dialog } from './Dialog.tsx';

type Keys = readonly (readonly [keys: string, action: string])[];

const PAGE_KEYS: Keys = [
  ['Ctrl Shift C', 'copies the selection'],
  ['Ctrl Shift V', 'pastes'],
  ['Ctrl Shift F', 'finds text; Enter goes to the next place, Shift Enter to the previous one'],
  ['Shift Page Up', 'scrolls back, and Shift Page Down forwards'],
  ['Ctrl F6', 'leaves the terminal, so that Tab leads to the buttons'],
  ['Ctrl ?', 'shows this list'],
];

const TERMINAL_KEYS: Keys = [
  ['Ctrl C', 'interrupts the program'],
  ['Ctrl D', 'ends the input, and with it most shells'],
  ['Ctrl Z', 'suspends the program; fg continues it'],
  ['Ctrl L', 'clears the screen in most shells'],
  ['Tab', 'completes a name in most shells'],
];

const FILES_KEYS: Keys = [
  ['Arrows', 'walk through the tree; letters lead to a name'],
  ['Enter', 'opens a folder, or a file in the editor'],
  ['Shift Enter', 'downloads'],
  ['F2', 'renames'],
  ['Delete', 'deletes, after a question'],
  ['Escape', 'closes the files'],
];

const EDITOR_KEYS: Keys = [
  ['Ctrl S', 'saves the file'],
  ['Ctrl F', 'finds and replaces'],
  ['Ctrl Z', 'undoes, and Ctrl Y does it again'],
  ['Ctrl F6', 'leaves the text; Delete closes the file then'],
  ['Arrows', 'move a separator that has the focus'],
];

/** Lists the page's keys, and the usual keys of a terminal. */
export default function KeysDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <KeyList keys={PAGE_KEYS} />
      <h3>All other keys go to the program. The usual ones are</h3>
      <KeyList keys={TERMINAL_KEYS} />
      <h3>In the files</h3>
      <KeyList keys={FILES_KEYS} />
      <h3>In the editor</h3>
      <KeyList keys={EDITOR_KEYS} />
    </Dialog>
  );
}

function KeyList({ keys }: { keys: Keys }) {
  return (
    <dl className="key-list">
      {keys.map(([names, action]) => (
        <div key={names}>
          <dt>
            {names.split(/ (?!Up)/).map((name, index) => (
              <Fragment key={name}>
                {index > 0 && ' '}
                <kbd>{name}</kbd>
              </Fragment>
            ))}
          </dt>
          <dd>{action}</dd>
        </div>
      ))}
    </dl>
  );
}
