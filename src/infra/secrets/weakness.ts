const MIN_BYTES = 32;
const MIN_DISTINCT = 8;
/** Words of six letters and more only: shorter ones turn up in random base64 now and then. */
const EXAMPLES =
  /change[-_ ]?(me|this)|example|secret|passw(ord|d)|your[-_ ]|replace|default|insecure|develop|stealth|recovery|x{6}/i;

/** A short text said over and over, e.g. `abcabcabc`. */
const isRepetition = (text: string): boolean => (text + text).indexOf(text, 1) < text.length / 2 + 1;

/** Mostly neighbours in the alphabet, e.g. `0123456789abcdef`. */
const isSequence = (text: string): boolean => {
  const steps = [...text].slice(1).filter((char, i) => {
    const step = char.charCodeAt(0) - text.charCodeAt(i);
    return Math.abs(step) <= 1;
  });
  return steps.length > text.length / 2;
};

/** Why a secret is not fit for use outside development, or undefined when nothing speaks against it. */
export const weaknessOf = (secret: string): string | undefined => {
  if (Buffer.byteLength(secret) < MIN_BYTES) return `is shorter than ${MIN_BYTES} bytes`;
  if (EXAMPLES.test(secret)) return 'looks like an example';
  if (new Set(secret).size < MIN_DISTINCT) return `has fewer than ${MIN_DISTINCT} different characters`;
  if (isRepetition(secret) || isSequence(secret)) return 'follows a simple pattern';
  return undefined;
};
