import './node-version.mjs';

import('./commands/test.mjs');
