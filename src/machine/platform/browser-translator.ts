import { runTranslator } from '../translator-worker.ts';
import { becomePart } from './browser-worker.ts';

becomePart(runTranslator);
