/** 0 ≤ x < 1. */
export type Random = () => number;

/** Mulberry32: the same seed gives the same numbers. */
export const randomOf = (seed: number): Random => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Choices by one stream of numbers. */
export const dice = (random: Random) => ({
  below: (n: number): number => Math.floor(random() * n),
  chance: (p: number): boolean => random() < p,
  oneOf: <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T,
});
export type Dice = ReturnType<typeof dice>;
