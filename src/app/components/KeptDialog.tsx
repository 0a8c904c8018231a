import { useState } from 'react';
import { messageOf } from '../../text/message.ts';
import { formatBytes } from '../model/format.ts';
import { type KeptQuestion, useKept } from '../stores/kept.ts';
import { Button } from './Button.tsx';
import { Dialog } from './Dialog.tsx';
import { Field } from './Field.tsx';

interface KeptDialogProps {
  readonly question: KeptQuestion;
  readonly onClose: () => void;
}

/** Asks for a container's new name, or before it is deleted. */
export default function KeptDialog({ question: { kind, item }, onClose }: KeptDialogProps) {
  return kind === 'rename' ? (
    <RenameDialog name={item.name} onClose={onClose} />
  ) : (
    <Dialog title={`Delete ${item.name}?`} onClose={onClose}>
      <p>
        Its files, {formatBytes(item.usedBytes)}, are gone then
        {item.status === 'suspended' && ', and so are the programs that are suspended in it'}. Nobody can
        bring them back.
      </p>
      <div className="dialog-actions">
        <Button icon="back" look="main" onClick={onClose}>
          Keep it
        </Button>
        <Button
          icon="trash"
          look="danger"
          onClick={() => {
            onClose();
            void useKept.getState().remove(item.name);
          }}
        >
          Delete it
        </Button>
      </div>
    </Dialog>
  );
}

function RenameDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const [newName, setNewName] = useState(name);
  const [problem, setProblem] = useState<string>();
  const rename = () =>
    useKept
      .getState()
      .rename(name, newName.trim())
      .then(onClose, (error: unknown) => setProblem(messageOf(error)));
  return (
    <Dialog title={`Rename ${name}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void rename();
        }}
      >
        <Field
          id="kept-name"
          label="Name"
          value={newName}
          onChange={(value) => {
            setNewName(value);
            setProblem(undefined);
          }}
          error={problem}
          hint="Letters, digits, and _ . - within it"
        />
        <div className="dialog-actions">
          <Button type="submit" icon="check" look="main" disabled={newName.trim() === name}>
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
