import { type DragEvent, useState } from 'react';
import { droppedImage } from '../model/local.ts';
import { useForm } from '../stores/form.ts';

/** Lets an element take files and folders that are dropped on it. */
export function useDrop() {
  const pick = useForm((state) => state.pick);
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
    onDrop: async (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      const local = await droppedImage(event.dataTransfer.items).catch(() => undefined);
      if (local) pick(local);
    },
  };
  return { isOver, handlers };
}
