import './node-version.mjs';

import('./commands/starter-images.mjs');
