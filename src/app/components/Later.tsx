import { Component, type ReactNode, Suspense } from 'react';
import { MISSING_PART } from '../model/problem.ts';
import { Notice } from './Notice.tsx';

interface LaterProps {
  readonly children: ReactNode;
}

/** Wraps a part of the page that is loaded on demand. If loading fails, the rest of the page stays. */
export class Later extends Component<LaterProps, { readonly hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    if (!this.state.hasFailed) return <Suspense>{this.props.children}</Suspense>;
    return (
      <Notice tone="problem" title={MISSING_PART.title}>
        {MISSING_PART.advice}
      </Notice>
    );
  }
}
