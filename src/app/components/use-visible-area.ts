import { useEffect } from 'react';

/**
 * Keeps the page in the part of the window that an on-screen keyboard leaves: browsers lay the keyboard over
 * the page, which keeps its size. The styles read the two properties.
 */
export function useVisibleArea(): void {
  useEffect(() => {
    const viewport = window.visualViewport;
    if (!viewport) return;
    const { style } = document.documentElement;
    const update = () => {
      // Zooming with two fingers shows less of the page too, but must not change its layout.
      style.setProperty('--visible-height', `${viewport.height * viewport.scale}px`);
      style.setProperty('--visible-top', viewport.scale === 1 ? `${viewport.offsetTop}px` : '0px');
    };
    update();
    viewport.addEventListener('resize', update);
    viewport.addEventListener('scroll', update);
    return () => {
      viewport.removeEventListener('resize', update);
      viewport.removeEventListener('scroll', update);
      style.removeProperty('--visible-height');
      style.removeProperty('--visible-top');
    };
  }, []);
}
