import type { Field } from '../model/form.ts';
import { useForm } from '../stores/form.ts';
import { useKeeping } from '../stores/keeping.ts';
import { useSession } from '../stores/session.ts';
import { backToForm } from '../stores/start.ts';

/** Returns the id of a field's element. */
export function fieldId(field: Field): string {
  return `field-${field}`;
}

/** The id of the form. */
export const FORM_ID = 'form';

/** Scrolls the form into view. */
export function showForm(): void {
  document.getElementById(FORM_ID)?.scrollIntoView({ block: 'nearest' });
}

/** Suspends the container, which is kept from now on if it was not, and goes back to the form. */
export async function suspendHere(): Promise<void> {
  const { keeping, keep } = useKeeping.getState();
  if (keeping !== 'kept') await keep();
  // Why it cannot be kept is shown where the user decides about it.
  if (useKeeping.getState().keeping === 'kept' && (await useSession.getState().suspend()))
    await returnToForm();
}

/** Goes back to the form and focuses the field to change. */
export async function returnToForm(): Promise<void> {
  await backToForm();
  const field = useForm.getState().problem?.field ?? 'image';
  // Waits until the form is rendered.
  requestAnimationFrame(() => document.getElementById(fieldId(field))?.focus());
}
