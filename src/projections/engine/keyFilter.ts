const BITS = 2 ** 24;
const HASHES = 4;

/**
 * A Bloom filter of the keys that were written out and are not in memory any more: a key it does not know has never
 * been stored, so a new row costs no look-up. 2 MB whatever the number of keys; with a million of them one new key
 * in 400 is looked up for nothing.
 */
export class KeyFilter {
  #bits: Int32Array | undefined;

  add(key: string): void {
    this.#bits ??= new Int32Array(BITS / 32);
    const [first, second] = hash(key);
    for (let i = 0; i < HASHES; i++) {
      const bit = (first + Math.imul(i, second)) & (BITS - 1);
      this.#bits[bit >> 5] = (this.#bits[bit >> 5] ?? 0) | (1 << (bit & 31));
    }
  }

  mayHave(key: string): boolean {
    if (this.#bits === undefined) return false;
    const [first, second] = hash(key);
    for (let i = 0; i < HASHES; i++) {
      const bit = (first + Math.imul(i, second)) & (BITS - 1);
      if (((this.#bits[bit >> 5] ?? 0) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }
}

/** Two independent 32-bit hashes in one pass (FNV-1a with two primes, each finished by a mix). */
const hash = (key: string): readonly [number, number] => {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x85ebca6b);
  }
  return [a ^ (a >>> 15), (b ^ (b >>> 13)) | 1];
};
