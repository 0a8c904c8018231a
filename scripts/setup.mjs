import './node-version.mjs';

import('./commands/setup.mjs');
