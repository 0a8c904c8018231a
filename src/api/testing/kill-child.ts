/** `tsx kill-child.ts FOLDER IMAGE ROLE`: works with the kept containers of a store until it is killed. */
import { writeSync } from 'node:fs';
import * as api from '../node.ts';
import { type Role, workUntilKilled } from './killed.ts';

const [folder = '', image = '', role = 'save'] = process.argv.slice(2);
api.configure({ store: folder });
// Nothing of a line is in a buffer when the process is killed.
await workUntilKilled(api, image, role as Role, (line) => writeSync(1, `${line}\n`));
