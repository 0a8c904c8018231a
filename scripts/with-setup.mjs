import './node-version.mjs';

import('./commands/with-setup.mjs');
