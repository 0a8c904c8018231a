import './node-version.mjs';

import('./commands/foreign-images.mjs');
