// Everyday JavaScript: objects, strings, regular expressions, JSON, maps, typed arrays, classes, sorting.
console.log('begin');

let seed = 42;
/** @param {number} below */
const random = (below) => {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return (seed >>> 8) % below;
};

class Account {
  /** @type {number[]} */
  #history = [];

  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }

  /** @param {number} amount */
  deposit(amount) {
    this.#history.push(amount);
  }

  get mean() {
    return this.#history.reduce((sum, amount) => sum + amount, 0) / this.#history.length;
  }
}

/** @param {number} count */
function makeLog(count) {
  return Array.from({ length: count }, (_, n) => {
    const path = `/item/${random(500)}?page=${random(9)}`;
    return `10.0.${random(4)}.${random(256)} [${n}] "GET ${path}" ${[200, 200, 304, 404][random(4)]} ${random(90000)}`;
  });
}

/** @param {string[]} lines */
function readLog(lines) {
  const hits = new Map();
  let bytes = 0;
  for (const line of lines) {
    const [, path, status, size] = /"GET ([^?]+)[^"]*" (\d+) (\d+)$/.exec(line) ?? [];
    hits.set(path, (hits.get(path) ?? 0) + 1);
    if (status === '200') bytes += Number(size);
  }
  const top = [...hits].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, 3);
  return `${JSON.stringify(top)} ${bytes}`;
}

/** @param {number} count */
function copyRecords(count) {
  const records = Array.from({ length: count }, (_, id) => ({
    id,
    name: `record ${id}`,
    tags: ['a', 'b'],
    at: { x: id / 7 },
  }));
  /** @type {typeof records} */
  const copy = JSON.parse(JSON.stringify(records));
  return copy
    .filter(({ id }) => id % 3 === 0)
    .reduce((sum, { name, at }) => sum + name.length + at.x, 0)
    .toFixed(3);
}

/** @param {number} count */
function keepAccounts(count) {
  /** @type {Record<string, Account>} */
  const accounts = {};
  for (let n = 0; n < count; n++) {
    const name = `account ${n % 100}`;
    const account = accounts[name] ?? new Account(name);
    account.deposit(random(1000));
    accounts[name] = account;
  }
  return Object.values(accounts)
    .reduce((sum, { mean }) => sum + mean, 0)
    .toFixed(6);
}

/** @param {number} limit */
function countPrimes(limit) {
  const composite = new Uint8Array(limit);
  let count = 0;
  for (let n = 2; n < limit; n++) {
    if (composite[n]) continue;
    count++;
    for (let multiple = n * n; multiple < limit; multiple += n) composite[multiple] = 1;
  }
  return count;
}

const log = makeLog(20_000);
const changed = log.join('\n').replace(/item\/(\d+)/g, (_, n) => `thing/${n * 2}`);
console.log(`${readLog(log)} ${changed.length}`);
console.log(`${copyRecords(10_000)} ${keepAccounts(200_000)} ${countPrimes(2_000_000)}`);
console.log('end');
