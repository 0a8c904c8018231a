import { type ComponentProps, type FormEvent, type ReactNode, useEffect, useId, useState } from 'react';
import { printable } from '../../text/byte-text.ts';
import { messageOf } from '../../text/message.ts';
import { count } from '../model/format.ts';
import { fileName } from '../model/names.ts';
import { join, nameProblem, parentOf } from '../model/tree.ts';
import { type Question, useFiles } from '../stores/files.ts';
import { Button } from './Button.tsx';
import { Dialog } from './Dialog.tsx';
import { Field } from './Field.tsx';
import { focusTree } from './FilesTree.tsx';

/** The most names that a question lists. */
const MOST_NAMES = 5;

/** Asks for a name, or whether to go on. */
export function FilesQuestion({ question }: { question: Question }) {
  const { makeFolder, makeFile, rename, move } = useFiles.getState();
  // The button that had the focus may be about another file now.
  useEffect(() => focusTree, []);
  switch (question.kind) {
    case 'new-folder':
      return (
        <NameDialog
          title={`New folder in ${printable(question.folder)}`}
          action="Make the folder"
          name=""
          onName={(name) => makeFolder(join(question.folder, name))}
        />
      );
    case 'new-file':
      return (
        <NameDialog
          title={`New file in ${printable(question.folder)}`}
          action="Make the file"
          name=""
          onName={(name) => makeFile(join(question.folder, name))}
        />
      );
    case 'move':
      return (
        <NameDialog
          title={`Move ${printable(fileName(question.path))}`}
          label="To the folder"
          action="Move"
          name={question.failed?.folder ?? parentOf(question.path)}
          failed={question.failed?.problem}
          problemOf={(folder) => (folder.startsWith('/') ? undefined : 'A folder begins with a slash')}
          onName={(folder) => move(question.path, folder.replace(/(?<=.)\/+$/, ''))}
        />
      );
    case 'rename':
      return (
        <NameDialog
          title={`Rename ${printable(fileName(question.path))}`}
          action="Rename"
          name={fileName(question.path)}
          onName={(name) => rename(question.path, name)}
        />
      );
    case 'delete':
      return <DeleteDialog {...question} />;
    case 'replace':
      return <ReplaceDialog {...question} />;
  }
}

function close(): void {
  useFiles.getState().ask(undefined);
}

interface NameDialogProps {
  readonly title: string;
  readonly label?: string;
  readonly action: string;
  readonly name: string;
  /** Why it was not possible before. */
  readonly failed?: string | undefined;
  /** Returns why it cannot be used, if so. */
  readonly problemOf?: (name: string) => string | undefined;
  /** Does it, or rejects with the error to show. */
  readonly onName: (name: string) => Promise<void>;
}

function NameDialog({
  title,
  label = 'Name',
  action,
  name: old,
  failed,
  problemOf = nameProblem,
  onName,
}: NameDialogProps) {
  const id = useId();
  const [name, setName] = useState(old);
  const [problem, setProblem] = useState(failed);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wrong = problemOf(name);
    setProblem(wrong);
    if (!wrong) onName(name).then(close, (error: unknown) => setProblem(messageOf(error)));
  };
  return (
    <Dialog title={title} onClose={close}>
      <form onSubmit={submit}>
        <Field id={id} label={label} value={name} onChange={setName} error={problem} />
        <div className="dialog-actions">
          <Button icon="close" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" icon="check" look="main">
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function DeleteDialog({ path, isFolder }: Extract<Question, { kind: 'delete' }>) {
  return (
    <ConfirmDialog
      title={`Delete ${printable(fileName(path))}?`}
      agree={{ icon: 'trash', look: 'danger', children: 'Delete' }}
      onAgree={() => useFiles.getState().remove(path)}
    >
      {isFolder
        ? `The folder ${printable(path)} and all that is in it will be gone.`
        : `${printable(path)} will be gone.`}
    </ConfirmDialog>
  );
}

function ReplaceDialog({ picked, folder, taken }: Extract<Question, { kind: 'replace' }>) {
  const names = taken.slice(0, MOST_NAMES).map(printable).join(', ');
  const others = taken.length > MOST_NAMES ? ` and ${count(taken.length - MOST_NAMES, 'other')}` : '';
  return (
    <ConfirmDialog
      title="Replace files?"
      agree={{ icon: 'upload', look: 'main', children: 'Replace' }}
      onAgree={() => useFiles.getState().upload(picked, folder)}
    >
      {names}
      {others} {taken.length === 1 ? 'is' : 'are'} in {printable(folder)} already. The upload replaces files
      of the same names, and keeps the others.
    </ConfirmDialog>
  );
}

interface ConfirmDialogProps {
  readonly title: string;
  readonly children: ReactNode;
  /** The button that agrees. */
  readonly agree: ComponentProps<typeof Button>;
  readonly onAgree: () => Promise<void>;
}

function ConfirmDialog({ title, children, agree, onAgree }: ConfirmDialogProps) {
  return (
    <Dialog title={title} onClose={close}>
      <p className="dialog-text">{children}</p>
      <div className="dialog-actions">
        <Button icon="close" onClick={close}>
          Keep
        </Button>
        <Button
          {...agree}
          onClick={() => {
            close();
            void onAgree();
          }}
        />
      </div>
    </Dialog>
  );
}
