/** Puts a script in front of those of a document or worker. */
import { toByteString, toBytes } from '../disk/byte-string.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** The most bytes that are held back to find the place. */
const LIMIT = 4096;
const ATTRIBUTES = '(?:"[^"]*"|\'[^\']*\'|[^"\'>])*';
/** The text before the head, with the tag of the head (HTML, section 13.2.6.4). */
const BEFORE_SCRIPTS = new RegExp(
  `^(?:\\xef\\xbb\\xbf)?(?:\\s|<!--[^]*?-->|<[!?](?!--)[^>]*>)*(?:<html(?=[\\s/>])${ATTRIBUTES}>(?:\\s|<!--[^]*?-->)*)?(?:<head(?=[\\s/>])${ATTRIBUTES}>)?`,
  'i',
);
/** The place would be behind it, if it were complete. */
const UNFINISHED = /^<(!--|html(?=[\s/>])|head(?=[\s/>]))/i;
/** The length of UTF-8's mark. */
const BYTE_ORDER_MARK = 3;
const UTF16_MARKS = ['\xfe\xff', '\xff\xfe'];

/** Whether the type is one of documents whose bytes of ASCII are ASCII. */
export function isInjectable(contentType: string): boolean {
  return (
    /^\s*(text\/html|application\/xhtml\+xml)\b/i.test(contentType) &&
    !/charset\s*=\s*"?utf-16/i.test(contentType)
  );
}

/** @param tag ASCII */
export function injector(tag: string): TransformStream<Bytes, Bytes> {
  let held: string | undefined = '';
  const finish = (controller: TransformStreamDefaultController<Bytes>) => {
    if (held) controller.enqueue(toBytes(inject(held, tag)));
    held = undefined;
  };
  return new TransformStream({
    transform(bytes, controller) {
      if (held === undefined) return controller.enqueue(bytes);
      held += toByteString(bytes);
      if (held.length >= LIMIT || isDecided(held)) finish(controller);
    },
    flush: finish,
  });
}

function inject(html: string, tag: string): string {
  if (UTF16_MARKS.some((mark) => html.startsWith(mark))) return html;
  const at = placeIn(html);
  return html.slice(0, at) + tag + html.slice(at);
}

function placeIn(html: string): number {
  return BEFORE_SCRIPTS.exec(html)?.[0].length ?? 0;
}

/** Whether more bytes cannot change the place: the next tag is complete, or text follows. */
function isDecided(html: string): boolean {
  const rest = html.slice(placeIn(html));
  if (html.length < BYTE_ORDER_MARK || rest === '' || UNFINISHED.test(rest)) return false;
  return rest.startsWith('<') ? rest.includes('>') : true;
}

/**
 * Ends a document where its server breaks off, so that a browser shows what has come. Chromium shows nothing
 * of a stream that fails, and goes on loading.
 */
export function untilBroken(document: ReadableStream<Bytes>): ReadableStream<Bytes> {
  const reader = document.getReader();
  return new ReadableStream(
    {
      async pull(controller) {
        const { value } = await reader.read().catch(() => ({ value: undefined }));
        if (value) controller.enqueue(value);
        else controller.close();
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** Puts a script of ASCII in front of another one, whose lines keep their numbers. */
export function prefixer(script: string): TransformStream<Bytes, Bytes> {
  return new TransformStream({ start: (controller) => controller.enqueue(toBytes(script)) });
}
