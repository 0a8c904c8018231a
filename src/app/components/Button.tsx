import type { ButtonHTMLAttributes } from 'react';
import { Icon, type IconName } from './Icon.tsx';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly icon: IconName;
  readonly look?: 'plain' | 'quiet' | 'main' | 'danger';
}

/** A button with a picture and a text. */
export function Button({ icon, look = 'quiet', className = '', children, ...attributes }: ButtonProps) {
  return (
    <button type="button" className={`button button-${look} ${className}`} {...attributes}>
      <Icon name={icon} />
      <span className="label">{children}</span>
    </button>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly icon: IconName;
  /** The text for screen readers. */
  readonly label: string;
}

/** A button with a picture only. */
export function IconButton({ icon, label, className = '', ...attributes }: IconButtonProps) {
  return (
    <button
      type="button"
      className={`button button-quiet button-icon ${className}`}
      aria-label={label}
      title={label}
      {...attributes}
    >
      <Icon name={icon} />
    </button>
  );
}
