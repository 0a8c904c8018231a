import { runTranslator } from '../translator-worker.ts';
import { becomePart } from './node-worker.ts';

becomePart(runTranslator);
