import { type DragEvent, useState } from 'react';

/** Lets an element accept dropped files and folders. */
export function useDrop(take: (dropped: DataTransfer, target: Element) => void) {
  const [isOver, setOver] = useState(false);
  const handlers = {
    onDragOver: (event: DragEvent) => {
      if (!event.dataTransfer.types.includes('Files')) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: (event: DragEvent) => {
      if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      take(event.dataTransfer, event.target as Element);
    },
  };
  return { isOver, handlers };
}
