import './node-version.mjs';

import('./commands/format-assembly.mjs');
