import { afterEach, expect, it, vi } from 'vitest';
import { useEditor } from './editor.ts';
import { useLeaving } from './leaving.ts';
import { useSession } from './session.ts';

afterEach(() => {
  useEditor.getState().reset();
  useSession.setState({ phase: 'none' });
});

it('asks before unsaved text of a container that has ended is lost', async () => {
  useSession.setState({ phase: 'ended' });
  const goOn = vi.fn();
  void useEditor.getState().open('/a');
  useLeaving.getState().ask('leave', goOn);
  expect(goOn).toHaveBeenCalledOnce();
  useEditor.getState().edit('/a', 'mine');
  useLeaving.getState().ask('leave', goOn);
  expect(goOn).toHaveBeenCalledOnce();
  expect(useLeaving.getState().departure).toBe('leave');
  useLeaving.getState().answer(true);
  expect(goOn).toHaveBeenCalledTimes(2);
});
