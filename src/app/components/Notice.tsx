import type { ReactNode } from 'react';
import { Icon } from './Icon.tsx';

interface NoticeProps {
  readonly tone: 'problem' | 'hint';
  readonly title: string;
  readonly children: ReactNode;
}

/** A notice that stands out from the page. Screen readers announce problems at once. */
export function Notice({ tone, title, children }: NoticeProps) {
  return (
    <section className={`notice notice-${tone}`} role={tone === 'problem' ? 'alert' : 'note'}>
      <Icon name={tone === 'problem' ? 'alert' : 'share'} />
      <div>
        <h2>{title}</h2>
        <div className="notice-text">{children}</div>
      </div>
    </section>
  );
}
