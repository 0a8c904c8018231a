import { runHart } from '../hart-worker.ts';
import { becomePart } from './node-worker.ts';

becomePart(runHart);
