import { type ReactNode, useState } from 'react';
import { isArchiveAddress } from '../model/archive-address.ts';
import { fileName, imageShownAs, shownImage } from '../model/names.ts';
import { readPaste } from '../model/paste.ts';
import { useForm } from '../stores/form.ts';
import { useProject } from '../stores/project.ts';
import { FieldNote } from './Field.tsx';
import { fieldId } from './focus.ts';
import { askFor } from './LocalImageButtons.tsx';
import { Origin } from './Origin.tsx';
import { PLAIN_TEXT } from './plain-text.ts';

interface ImageFieldProps {
  readonly error: string | undefined;
  /** The path of a file that the user has to pick first. */
  readonly missingFile: string | undefined;
}

/**
 * A field for an image reference, which is checked while the user types. A demo image has its name there, but
 * text that is being typed stays as it is. A pasted command of docker fills in the whole form, and the
 * address of a repository offers its project.
 */
export function ImageField({ error, missingFile }: ImageFieldProps) {
  const id = fieldId('image');
  const { form, change, paste } = useForm();
  const [typed, setTyped] = useState('');
  const isTyping = imageShownAs(typed) === form.image;
  return (
    <div className="field image-field">
      <label htmlFor={id}>Image</label>
      <input
        id={id}
        value={isTyping ? typed : shownImage(form.image)}
        onChange={({ target }) => {
          setTyped(target.value);
          change({ image: imageShownAs(target.value) });
        }}
        onBlur={() => setTyped('')}
        onPaste={(event) => {
          const text = event.clipboardData.getData('text');
          const pasted = readPaste(text);
          const isProject = isArchiveAddress(text.trim());
          if (!pasted && !isProject) return;
          event.preventDefault();
          setTyped('');
          if (pasted) paste(pasted);
          else useProject.getState().offer(text.trim());
        }}
        placeholder="alpine, ghcr.io/owner/name:tag, docker run …"
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-note`}
        {...PLAIN_TEXT}
      />
      <FieldNote
        id={`${id}-note`}
        error={error}
        hint={missingFile ? <FileRequest path={missingFile} /> : <Origin />}
      />
    </div>
  );
}

/** Asks the user to open the file, because no page may open a file by its name. */
function FileRequest({ path }: { path: string }): ReactNode {
  return (
    <>
      <button type="button" className="button-link" onClick={() => askFor('file')}>
        Pick
      </button>{' '}
      or drop {fileName(path)}: only you can open files of your computer
    </>
  );
}
