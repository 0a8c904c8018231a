import type { Field } from '../model/form.ts';
import { useForm } from '../stores/form.ts';
import { backToForm } from '../stores/start.ts';

/** The id of a field's element. */
export function fieldId(field: Field): string {
  return `field-${field}`;
}

/** Back to the form, and there to the field that has to be changed. */
export async function returnToForm(): Promise<void> {
  await backToForm();
  const field = useForm.getState().problem?.field ?? 'image';
  // When the form is there again.
  requestAnimationFrame(() => document.getElementById(fieldId(field))?.focus());
}
