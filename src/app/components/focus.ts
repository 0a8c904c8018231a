import type { Field } from '../model/form.ts';
import { useForm } from '../stores/form.ts';
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

/** Goes back to the form and focuses the field to change. */
export async function returnToForm(): Promise<void> {
  await backToForm();
  const field = useForm.getState().problem?.field ?? 'image';
  // Waits until the form is rendered.
  requestAnimationFrame(() => document.getElementById(fieldId(field))?.focus());
}
