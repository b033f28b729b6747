type Closer = () => Promise<void>;

const closers: Closer[] = [];

/** Registers work for the end of the mocha run, such as stopping a server that all test files share. */
export const atTheEnd = (closer: Closer): void => {
  closers.push(closer);
};

export const runAtTheEnd = async (): Promise<void> => {
  for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
};
