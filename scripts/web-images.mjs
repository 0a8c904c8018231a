import './node-version.mjs';

import('./commands/web-images.mjs');
