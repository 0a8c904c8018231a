import { expect } from 'vitest';

/** Waits until a count has begun to grow, and then stays the same for 300 ms. */
export async function untilStill(count: () => number): Promise<void> {
  const growth = async () => {
    const before = count();
    await new Promise((resolve) => setTimeout(resolve, 300));
    return before > 0 && count() - before;
  };
  await expect.poll(growth).toBe(0);
}
