/** Names `Symbol.asyncDispose` in browsers that have none, before the first class uses it. */
if (!Reflect.has(Symbol, 'asyncDispose'))
  Object.defineProperty(Symbol, 'asyncDispose', { value: Symbol.for('Symbol.asyncDispose') });
