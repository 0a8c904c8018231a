import { runHart } from '../hart-worker.ts';
import { becomePart } from './browser-worker.ts';

becomePart(runHart);
