import { Component, type ReactNode, Suspense } from 'react';
import { Notice } from './Notice.tsx';

interface LaterProps {
  readonly children: ReactNode;
}

/** Around what is loaded only when it is needed: the rest of the page stays when that fails. */
export class Later extends Component<LaterProps, { readonly hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    if (!this.state.hasFailed) return <Suspense>{this.props.children}</Suspense>;
    return (
      <Notice tone="problem" title="A part of this page cannot be loaded">
        Is its server still running, and this computer online? Then load the page again: what is stored is
        kept.
      </Notice>
    );
  }
}
