import { expose } from 'comlink';
import { preloadZlib } from '../../oci/browser-codec.ts';
import { Session } from './session.ts';

expose(new Session());
preloadZlib();
