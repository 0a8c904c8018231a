import { useState } from 'react';
import { copy } from '../../terminal/clipboard.ts';
import type { Form } from '../model/form.ts';
import { type LinkOptions, writeLink, writeProjectLink } from '../model/link.ts';
import { Button } from './Button.tsx';
import { ShareDialog } from './ShareDialog.tsx';

const SHOWN = 2500;

interface ShareButtonProps {
  readonly form: Form;
  /** Where its project comes from, if that has an address. A link then names it in place of the settings. */
  readonly address: string | undefined;
}

/** Copies a link that fills in the form, and asks first whether it may carry the values of variables. */
export function ShareButton({ form, address }: ShareButtonProps) {
  const [isAsking, setAsking] = useState(false);
  const [link, setLink] = useState<{ text: string; copied: boolean }>();
  const env = address === undefined ? form.env : [];
  const valued = env.filter(({ name, value }) => name !== '' && value !== '').map(({ name }) => name);
  const share = async (options: LinkOptions) => {
    setAsking(false);
    const query = address === undefined ? writeLink(form, options) : writeProjectLink(address);
    const text = new URL(query, location.href).href;
    const copied = await copy(text);
    setLink({ text, copied });
    if (copied) setTimeout(() => setLink(undefined), SHOWN);
  };
  return (
    <>
      <Button
        icon={link?.copied ? 'check' : 'share'}
        onClick={() => (valued.length > 0 ? setAsking(true) : void share({ withValues: false }))}
      >
        {link?.copied ? 'Link copied' : 'Share'}
      </Button>
      <span className="visually-hidden" role="status">
        {link?.copied && 'The link is in the clipboard'}
      </span>
      {isAsking && (
        <ShareDialog
          title="Share a link"
          what="the link"
          action={{ icon: 'share', label: 'Copy the link' }}
          names={valued}
          onShare={(options) => void share(options)}
          onClose={() => setAsking(false)}
        />
      )}
      {link && !link.copied && (
        <input
          className="share-link"
          aria-label="Link to copy"
          readOnly
          value={link.text}
          // biome-ignore lint/a11y/noAutofocus: it appears because of a click, to be copied
          autoFocus
          onFocus={({ target }) => target.select()}
          onBlur={() => setLink(undefined)}
        />
      )}
    </>
  );
}
