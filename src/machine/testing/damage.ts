/** Random changes of saved states. */
import fc from 'fast-check';
import type { Plain } from '../state.ts';

/** Where a value is in a state: a choice at each level. */
type Path = readonly number[];

/** The state with one value replaced, or with a byte of it if it is bytes. */
function replaceAt(value: Plain, path: Path, by: Plain): Plain {
  if (value instanceof Uint8Array && value.length > 0) {
    const bytes = value.slice();
    bytes[(path[0] ?? 0) % bytes.length] = typeof by === 'number' ? by : 0xff;
    return bytes;
  }
  const [choice, ...rest] = path;
  if (typeof value !== 'object' || value === null || choice === undefined) return by;
  const entries = Object.entries(value);
  const index = choice % (entries.length || 1);
  const changed = entries.map(([name, item], at) =>
    at === index ? ([name, replaceAt(item, rest, by)] as const) : ([name, item] as const),
  );
  return Array.isArray(value) ? changed.map(([, item]) => item) : Object.fromEntries(changed);
}

/** Values that no state has in some of its places. */
const oddValue: fc.Arbitrary<Plain> = fc.oneof(
  fc.constantFrom<Plain>(null, true, -1, 0, 1, 0xffff, 2 ** 32, 2 ** 53, Number.NaN, 0.5, '', 'eof'),
  fc.constantFrom<Plain>('running', 'connected', 'closed', [], [null], {}, new Uint8Array(3)),
  fc.nat(0xffff),
  fc.nat(),
);

const path = fc.array(fc.nat(), { minLength: 1, maxLength: 8 });

/** A state in which some values are others. */
export type Damage = (state: Plain) => Plain;

/** @param most values at a time */
export function anyDamage(most: number): fc.Arbitrary<Damage> {
  const places = fc.array(fc.tuple(path, oddValue), { minLength: 1, maxLength: most });
  return places.map((damages) =>
    Object.assign(
      (state: Plain) => damages.reduce<Plain>((value, [place, by]) => replaceAt(value, place, by), state),
      { [fc.toStringMethod]: () => fc.stringify(damages) },
    ),
  );
}
