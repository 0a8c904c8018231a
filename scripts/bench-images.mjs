import './node-version.mjs';

import('./commands/bench-images.mjs');
