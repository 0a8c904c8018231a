import type { ButtonHTMLAttributes } from 'react';
import { Icon, type IconName } from './Icon.tsx';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly icon: IconName;
  readonly look?: 'plain' | 'quiet' | 'main' | 'danger';
}

/** A picture and what happens at a click. */
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
  /** What a screen reader says. */
  readonly label: string;
}

/** For what a picture alone can say. */
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
