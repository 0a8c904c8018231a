/** Error-free transformations, which compute the error of the host's rounding to nearest. */
import { HIDDEN_D } from './format';

/** sum + sumError(a, b, sum) is a + b exactly (Knuth's TwoSum); the error is not 0 if something overflows. */
@inline
export function sumError<T extends number>(a: T, b: T, sum: T): T {
  const addend = <T>(sum - a);
  return <T>(<T>(a - <T>(sum - addend)) + <T>(b - addend));
}

/** The number of trailing zeros of a double's significand. */
@inline
function trailingZeros(a: u64): u64 {
  return ctz(a | HIDDEN_D);
}

/** Whether the product of two doubles fits the significand of a third. */
@inline
export function productFits(a: u64, b: u64): bool {
  return trailingZeros(a) + trailingZeros(b) >= 53;
}

/** The sum rounded to odd, from the nearest sum and its error. */
@inline
export function roundToOdd(sum: f64, error: f64): f64 {
  const bits = reinterpret<u64>(sum);
  if (error == 0 || bits & 1) return sum;
  const sameSign = error > 0 == sum > 0;
  return reinterpret<f64>(sameSign ? bits + 1 : bits - 1);
}
