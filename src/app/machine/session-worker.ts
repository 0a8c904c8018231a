import { expose } from 'comlink';
import { preloadImages } from '../../api/browser-images.ts';
import { Session } from './session.ts';

expose(new Session());
preloadImages();
