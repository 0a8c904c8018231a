/**
 * Pulls the image argv[2] into the store in folder argv[3], and reports on stdout when the pull begins and
 * ends.
 */
import { nodeStore } from '../../storage/node.ts';
import { nodeSource } from '../node-source.ts';
import { parseReference } from '../reference.ts';
import { createTarReader, pull } from './pull.ts';

const [, , reference = '', folder = ''] = process.argv;
console.log('begin');
await pull(nodeSource(parseReference(reference), { createTarReader }), nodeStore(folder));
console.log('end');
