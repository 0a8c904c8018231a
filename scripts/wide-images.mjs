import './node-version.mjs';

import('./commands/wide-images.mjs');
