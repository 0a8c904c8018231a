import './node-version.mjs';

import('./commands/release.mjs');
