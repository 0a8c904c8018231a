import { useState } from 'react';
import { copy } from '../clipboard.ts';
import { writeLink } from '../model/link.ts';
import { useForm } from '../stores/form.ts';
import { Button } from './Button.tsx';

const SHOWN = 2500;

/** Copies a link that fills in the form. */
export function ShareButton() {
  const form = useForm((state) => state.form);
  const [link, setLink] = useState<{ text: string; copied: boolean }>();
  const share = async () => {
    const text = new URL(writeLink(form), location.href).href;
    const copied = await copy(text);
    setLink({ text, copied });
    if (copied) setTimeout(() => setLink(undefined), SHOWN);
  };
  return (
    <>
      <Button icon={link?.copied ? 'check' : 'share'} onClick={share}>
        {link?.copied ? 'Link copied' : 'Share'}
      </Button>
      <span className="visually-hidden" role="status">
        {link?.copied && 'The link is in the clipboard'}
      </span>
      {link && !link.copied && (
        <input
          className="share-link"
          aria-label="Link to copy"
          readOnly
          value={link.text}
          // biome-ignore lint/a11y/noAutofocus: it came because of a click, to be copied
          autoFocus
          onFocus={({ target }) => target.select()}
          onBlur={() => setLink(undefined)}
        />
      )}
    </>
  );
}
