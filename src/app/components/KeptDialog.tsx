import { type ReactNode, useState } from 'react';
import { messageOf } from '../../text/message.ts';
import { makeUpName } from '../model/container-name.ts';
import { formatBytes } from '../model/format.ts';
import { canonicalName, imageShownAs, shortName } from '../model/names.ts';
import { useForm } from '../stores/form.ts';
import { type KeptQuestion, useKept } from '../stores/kept.ts';
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
