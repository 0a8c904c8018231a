import type { Connection } from './connection.ts';
import { HttpError } from './errors.ts';
import { FieldBlock, parseHead, type ResponseHead } from './response-head.ts';

const START = 'HTTP/1.';
const MAX_INTERIM = 16;

/**
 * Reads the head of the final response, which has another status than 1xx, or is 101.
 * @param onInterim called with the status of each interim response
 * @throws HttpError, or the error of the connection
 */
export async function readFinalHead(
  connection: Connection,
  onInterim: (status: number) => void,
): Promise<ResponseHead> {
  for (let interim = 0; interim <= MAX_INTERIM; interim++) {
    const head = await readHead(connection);
    if (head.status >= 200 || head.status === 101) return head;
    onInterim(head.status);
  }
  throw new HttpError(`the server sent more than ${MAX_INTERIM} interim responses`);
}

async function readHead(connection: Connection): Promise<ResponseHead> {
  const block = new FieldBlock();
  for (;;) {
    const bytes = await connection.read();
    if (!bytes) {
      const where = block.isEmpty ? 'without an answer' : 'within the headers';
      throw new HttpError(`the server closed the connection ${where}`);
    }
    const rest = block.add(bytes);
    // A server of another protocol may never send an empty line.
    if (!block.startsLike(START)) throw new HttpError('the server does not speak HTTP/1');
    if (!rest) continue;
    connection.unread(rest);
    return parseHead(block.lines());
  }
}
