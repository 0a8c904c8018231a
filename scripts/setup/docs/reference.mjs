/** Writes the reference of the programming interface, as Markdown, from the model of API Extractor. */
import { slugOf } from './slug.mjs';

/**
 * The parts of the model that the reference needs (`@microsoft/api-extractor-model`).
 * @typedef {{ kind: 'Content' | 'Reference', text: string, canonicalReference?: string }} Token
 * @typedef {{
 *   kind: string, name?: string, docComment?: string, excerptTokens?: Token[], members?: Item[],
 *   overloadIndex?: number, isOptional?: boolean, extendsTokenRange?: unknown
 * }} Item
 * @typedef {{ name: string, title: string, items: Item[] }} Group the items of a page
 * @typedef {{ name: string, text: string }} ReferencePage its Markdown
 */

/** Pages of their own, in this order. Other types with methods follow them. */
const FIRST = ['Command', 'Container', 'RunningContainer', 'Child', 'ContainerFs', 'Channel', 'images'];
/** Types with several members of these kinds have pages of their own, because programs call them. */
const CALLABLE = ['Method', 'MethodSignature', 'Constructor', 'CallSignature'];

/** @param {Item} item */
const isError = ({ kind, name = '' }) => kind === 'Class' && name.endsWith('Error');

/** @param {Item} item */
const hasPage = (item) =>
  FIRST.includes(item.name ?? '') ||
  (!isError(item) && item.kind === 'Class') ||
  item.kind === 'Namespace' ||
  (item.members ?? []).filter(({ kind }) => CALLABLE.includes(kind)).length > 1;

/** @param {readonly Item[]} items @returns {Group[]} */
function groupsOf(items) {
  const rank = (/** @type {Item} */ { name = '' }) =>
    (FIRST.indexOf(name) + FIRST.length + 1) % (FIRST.length + 1);
  const own = items.filter(hasPage).sort((a, b) => rank(a) - rank(b));
  const rest = items.filter((item) => !hasPage(item));
  const isFunction = ({ kind = '' }) => kind === 'Function' || kind === 'Variable';
  const groups = [
    ...own.map((item) => ({
      name: `api-${item.name?.toLowerCase()}`,
      title: item.name ?? '',
      items: [item],
    })),
    { name: 'api-functions', title: 'Functions', items: rest.filter(isFunction) },
    { name: 'api-types', title: 'Types', items: rest.filter((item) => !isFunction(item) && !isError(item)) },
    { name: 'api-errors', title: 'Errors', items: rest.filter(isError) },
  ];
  return groups.filter(({ items }) => items.length > 0);
}

/** The text of a comment, and its blocks such as `@throws`. @param {string} comment */
export function readComment(comment = '') {
  const text = comment
    .replace(/^\/\*\*|\*\/\s*$/g, '')
    .replace(/^ *\* ?/gm, '')
    .trim();
  const [summary = '', ...blocks] = `\n${text}`.split(/^(?=@\w+)/m);
  return {
    summary: summary.trim(),
    blocks: blocks.flatMap((block) => {
      const [, tag = '', body = ''] = /^@(\w+)\s*([\s\S]*)$/.exec(block) ?? [];
      return body.trim() === '' ? [] : [{ tag, body: body.trim().replace(/\s*\n\s*/g, ' ') }];
    }),
  };
}

const LABELS = /** @type {Readonly<Record<string, string>>} */ ({
  throws: 'Errors',
  returns: 'Returns',
  example: 'Example',
});

/** @param {Item} item */
function writeComment({ docComment }) {
  const { summary, blocks } = readComment(docComment);
  const written = blocks.map(({ tag, body }) => {
    const [, parameter, text] = tag === 'param' ? (/^(\S+)\s+(?:- )?(.*)$/.exec(body) ?? []) : [];
    return parameter ? `\`${parameter}\`: ${text}` : `**${LABELS[tag] ?? tag}:** ${body}`;
  });
  // Constructors that have no comment get one that says nothing.
  return [summary.startsWith('Constructs a new instance') ? '' : summary, ...written]
    .filter(Boolean)
    .join('\n\n');
}

/** @param {Item} item @returns {string} its declaration on a few lines */
const signatureOf = ({ excerptTokens = [] }) =>
  excerptTokens
    .map(({ text }) => text)
    .join('')
    .replace(/^export (declare )?/, '')
    // As deep as in the class around it.
    .replace(/^ {4}/gm, '')
    .trim();

/** @param {Item} item @returns {string} a heading of one or all overloads */
function headingOf({ kind, name = '' }) {
  if (kind === 'Constructor') return 'Constructor';
  return CALLABLE.includes(kind) || kind === 'Function' ? `${name}()` : name;
}

/** @param {string | undefined} name of a namespace @returns {Item['excerptTokens']} how programs get it */
const importOf = (name = '') => [{ kind: 'Content', text: `import { ${name} } from 'linuxrun';` }];

/** @param {readonly Item[]} items */
const writeSignature = (items) => `\`\`\`ts\n${items.map(signatureOf).join('\n')}\n\`\`\``;

class Writer {
  /** Where each exported name is explained. @type {Map<string, string>} */
  #places = new Map();

  /** @param {readonly Group[]} groups */
  constructor(groups) {
    for (const { name, items } of groups) {
      const [first] = items;
      for (const item of items)
        this.#places.set(
          item.name ?? '',
          items.length === 1 && hasPage(/** @type {Item} */ (first))
            ? `${name}.md`
            : `${name}.md#${slugOf(headingOf(item))}`,
        );
    }
  }

  /** @param {Group} group @returns {ReferencePage} */
  write({ name, title, items }) {
    const [only] = items;
    const text =
      items.length === 1 && only && hasPage(only)
        ? this.#writeItem(only, 1)
        : [`# ${title}`, ...items.map((item) => this.#writeItem(item, 2))].join('\n\n');
    return { name, text };
  }

  /** @param {Item} item @param {number} depth of its heading */
  #writeItem(item, depth) {
    const { members = [] } = item;
    const isOwnPage = depth === 1;
    return [
      `${'#'.repeat(depth)} ${headingOf(item)}`,
      writeComment(item),
      isOwnPage || members.length === 0 ? writeSignature([item]) : '',
      isOwnPage || members.length === 0 ? this.#writeLinks([item]) : '',
      ...(isOwnPage ? this.#writeMembers(members) : [this.#writeTable(item)]),
    ]
      .filter(Boolean)
      .join('\n\n');
  }

  /** @param {readonly Item[]} members */
  #writeMembers(members) {
    const names = [...new Set(members.map(headingOf))].filter((name) => !name.startsWith('['));
    return names.map((name) => {
      const overloads = members.filter((member) => headingOf(member) === name);
      const comments = [...new Set(overloads.map(writeComment))];
      return [`## ${name}`, writeSignature(overloads), ...comments, this.#writeLinks(overloads)]
        .filter(Boolean)
        .join('\n\n');
    });
  }

  /** @param {readonly Item[]} items */
  #writeLinks(items) {
    const links = this.#linksIn(items.flatMap(({ excerptTokens = [] }) => excerptTokens));
    return links === '' ? '' : `See ${links}.`;
  }

  /** @param {readonly Token[]} tokens @returns {string} links to the types that they name */
  #linksIn(tokens) {
    const names = new Set(tokens.filter(({ kind }) => kind === 'Reference').map(({ text }) => text));
    return [...names].flatMap((name) => this.#linkTo(name)).join(', ');
  }

  /** @param {string} name */
  #linkTo(name) {
    const place = this.#places.get(name);
    return place === undefined ? [] : [`[\`${name}\`](${place})`];
  }

  /** Properties, and the methods of small types. @param {Item} item */
  #writeTable({ members = [] }) {
    const rows = members
      .filter(({ kind, name }) => kind !== 'Constructor' && name !== 'name')
      .map((member) => {
        const signature = signatureOf(member)
          .replace(/^readonly /, '')
          .replace(/;$/, '')
          .replace(/^(\w+\?: .*) \| undefined$/, '$1')
          .replace(/\s+/g, ' ');
        const comment = writeComment(member)
          .replace(/\n- /g, '<br>')
          .replace(/\s*\n\s*/g, ' ');
        const cells = [`\`${signature}\``, [comment, this.#writeLinks([member])].filter(Boolean).join(' ')];
        return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
      });
    return rows.length === 0 ? '' : ['| | |', '|---|---|', ...rows].join('\n');
  }
}

/**
 * Types that a namespace needs are exported beside it, too.
 * @param {Item} namespace @param {ReadonlySet<string | undefined>} names that are exported @returns {Item}
 */
const withoutTypes = (namespace, names) => ({
  ...namespace,
  excerptTokens: importOf(namespace.name),
  members: namespace.members?.filter(({ kind, name }) => kind === 'Function' || !names.has(name)),
});

/** @param {Item} model what API Extractor writes as JSON @returns {ReferencePage[]} */
export function writeReference(model) {
  const [entry] = model.members ?? [];
  const items = entry?.members ?? [];
  const names = new Set(items.map(({ name }) => name));
  const groups = groupsOf(
    items.map((item) => (item.kind === 'Namespace' ? withoutTypes(item, names) : item)),
  );
  const writer = new Writer(groups);
  return groups.map((group) => writer.write(group));
}
