const parseFault = (text: string): string | undefined => {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

const UNFIT = 'Unexpected token';

/** The shortest beginning of the text that holds the unfit token ends with it. */
const unfitAt = (text: string): number => {
  let [fits, fails] = [0, text.length];
  while (fails - fits > 1) {
    const middle = (fits + fails) >> 1;
    if (parseFault(text.slice(0, middle))?.startsWith(UNFIT)) fails = middle;
    else fits = middle;
  }
  return fails - 1;
};

/** Of most faults V8 tells the position; of an unfit token it does not, and one that is missing is at the end. */
const positionOf = (text: string, fault: string): number => {
  if (fault.startsWith(UNFIT)) return unfitAt(text);
  const [, told] = / at position (\d+)/.exec(fault) ?? [];
  return told === undefined ? text.length : Number(told);
};

/** Where a text stops being JSON, both counted from 1; undefined where it is JSON to its end. */
export const jsonFaultIn = (text: string): { readonly line: number; readonly column: number } | undefined => {
  const fault = parseFault(text);
  if (fault === undefined) return undefined;
  const lines = text.slice(0, positionOf(text, fault)).split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
};
