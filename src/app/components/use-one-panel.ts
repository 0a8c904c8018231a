import { useEffect } from 'react';
import { useEditor } from '../stores/editor.ts';
import { useFiles } from '../stores/files.ts';
import { usePreviews } from '../stores/previews.ts';
import { forgetRoom, giveRoom, takeRoom } from '../stores/room.ts';
import { NARROW, SMALL, useMedia } from './use-media.ts';

/** Closes panes when others open, on a screen without room for all of them. They come back on a wider one. */
export function useOnePanel(areFilesShown: boolean, isPreviewShown: boolean): void {
  const isNarrow = useMedia(NARROW);
  const isSmall = useMedia(SMALL);
  const isEditorInFront = useEditor(({ isInFront }) => isInFront);
  useEffect(() => forgetRoom, []);
  useEffect(() => {
    if (!isNarrow) takeRoom();
  }, [isNarrow]);
  useEffect(() => {
    if (isNarrow && isPreviewShown) giveRoom(useFiles);
  }, [isNarrow, isPreviewShown]);
  useEffect(() => {
    // The previews stay when a screen with both becomes narrow.
    if (isNarrow && areFilesShown && useFiles.getState().isShown) giveRoom(usePreviews);
  }, [isNarrow, areFilesShown]);
  useEffect(() => {
    if (isSmall && isEditorInFront) giveRoom(useFiles, usePreviews);
  }, [isSmall, isEditorInFront]);
  useEffect(() => {
    const isCovered = useFiles.getState().isShown || usePreviews.getState().isShown;
    // The editor stays when a screen with all of them becomes small.
    if (isSmall && (areFilesShown || isPreviewShown) && isCovered) useEditor.getState().setInFront(false);
  }, [isSmall, areFilesShown, isPreviewShown]);
}
