import { useState } from 'react';
import type { LinkOptions } from '../model/link.ts';
import { Button } from './Button.tsx';
import { Dialog } from './Dialog.tsx';
import type { IconName } from './Icon.tsx';

interface ShareDialogProps {
  readonly title: string;
  /** What is shared, in the middle of a sentence. */
  readonly what: string;
  readonly action: { readonly icon: IconName; readonly label: string };
  /** The variables that have values. */
  readonly names: readonly string[];
  readonly onShare: (options: LinkOptions) => void;
  readonly onClose: () => void;
}

/** Asks whether what is shared may carry the values of variables. */
export function ShareDialog({ title, what, action, names, onShare, onClose }: ShareDialogProps) {
  const [withValues, setWithValues] = useState(false);
  return (
    <Dialog title={title} onClose={onClose}>
      <p>
        Everyone who gets {what} can read it. Values of variables, such as tokens and passwords, stay out of
        it unless you include them.
      </p>
      <label className="choice">
        <input
          type="checkbox"
          checked={withValues}
          onChange={({ target }) => setWithValues(target.checked)}
        />
        <span>
          {names.length === 1 ? 'Include the value of ' : 'Include the values of '}
          {names.map((name, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two rows may have the same name
            <span key={at}>
              {at > 0 && ', '}
              <code>{name}</code>
            </span>
          ))}
        </span>
      </label>
      <Button icon={action.icon} look="main" onClick={() => onShare({ withValues })}>
        {action.label}
      </Button>
    </Dialog>
  );
}
