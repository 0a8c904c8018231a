import { type ReactNode, useState } from 'react';
import { messageOf } from '../../text/message.ts';
import type { KeptItem } from '../machine/messages.ts';
import { makeUpName } from '../model/container-name.ts';
import { formatBytes, formatMoment } from '../model/format.ts';
import { canonicalName, imageShownAs, shortName } from '../model/names.ts';
import { useForm } from '../stores/form.ts';
import { type KeptQuestion, useKept } from '../stores/kept.ts';
import { runKept } from '../stores/start.ts';
import { Button } from './Button.tsx';
import { Dialog } from './Dialog.tsx';
import { Field } from './Field.tsx';

interface KeptDialogProps {
  readonly question: KeptQuestion;
  readonly onClose: () => void;
}

/** Asks for a name, or before a container is deleted. */
export default function KeptDialog({ question, onClose }: KeptDialogProps) {
  if (question.kind === 'import') return <ImportDialog changes={question.changes} onClose={onClose} />;
  const { kind, item } = question;
  if (kind === 'rename') return <RenameDialog name={item.name} onClose={onClose} />;
  return kind === 'go-on' ? (
    <GoOnDialog item={item} onClose={onClose} />
  ) : (
    <DeleteDialog item={item} onClose={onClose} />
  );
}

interface ItemDialogProps {
  readonly item: KeptItem;
  readonly onClose: () => void;
}

function GoOnDialog({ item, onClose }: ItemDialogProps) {
  const { name, saved = 0 } = item;
  return (
    <Dialog title={`Let ${name} go on where it was saved?`} onClose={onClose}>
      <p>
        It was saved {formatMoment(saved, Date.now())}, and cut off later. The files that it has written since
        are lost then.
      </p>
      <div className="dialog-actions">
        <Button icon="back" look="main" onClick={onClose}>
          Keep its files
        </Button>
        <Button
          icon="run"
          look="danger"
          onClick={() => {
            onClose();
            runKept(item, 'always');
          }}
        >
          Let it go on
        </Button>
      </div>
    </Dialog>
  );
}

function DeleteDialog({ item, onClose }: ItemDialogProps) {
  return (
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
  return (
    <NameDialog
      title={`Rename ${name}`}
      action="Rename"
      name={name}
      onName={(newName) => useKept.getState().rename(name, newName)}
      onClose={onClose}
    />
  );
}

function ImportDialog({ changes, onClose }: { changes: File; onClose: () => void }) {
  const image = useForm(({ form }) => form.image);
  const items = useKept((kept) => kept.items);
  return (
    <NameDialog
      title="Import changes"
      action="Import"
      name={makeUpName(items.map(({ name }) => name))}
      onName={(name) => useKept.getState().importChanges(name, imageShownAs(image), changes)}
      onClose={onClose}
    >
      <p>
        Makes a container of the form’s image, {shortName(canonicalName(image) ?? image)}, with the changes in{' '}
        {changes.name}.
      </p>
    </NameDialog>
  );
}

interface NameDialogProps {
  readonly title: string;
  readonly action: string;
  /** The name at first. */
  readonly name: string;
  /** Rejects with the reason to show. */
  readonly onName: (name: string) => Promise<void>;
  readonly onClose: () => void;
  readonly children?: ReactNode;
}

function NameDialog({ title, action, name: firstName, onName, onClose, children }: NameDialogProps) {
  const [name, setName] = useState(firstName);
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async () => {
    setBusy(true);
    await onName(name.trim()).then(onClose, (error: unknown) => setProblem(messageOf(error)));
    setBusy(false);
  };
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Field
          id="kept-name"
          label="Name"
          value={name}
          onChange={(value) => {
            setName(value);
            setProblem(undefined);
          }}
          error={problem}
          hint="Letters, digits, and _ . - within it"
        />
        <div className="dialog-actions">
          <Button type="submit" icon="check" look="main" disabled={isBusy}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
