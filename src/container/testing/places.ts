import { join } from 'node:path';

export const PUBLIC = join(import.meta.dirname, '../../../public');
