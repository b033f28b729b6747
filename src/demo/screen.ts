/** Where the demo shows itself. */
export interface Screen {
  /** A line that stays; on a narrow terminal it goes on below. */
  line(text?: string): void;
  heading(text: string): void;
  /** A text that may take several lines, each further one indented. */
  paragraph(text: string, indent: number): void;
  /** A line longer than the terminal, left whole so that it can be copied. */
  verbatim(text: string): void;
  /** The one line that says how far it has got; `mark` also without a terminal. */
  status(text: string, mark?: boolean): void;
  /** Takes the status away. */
  done(): void;
  readonly columns: number;
}

export interface ScreenOptions {
  readonly write: (line: string) => void;
  readonly columns: () => number;
  readonly interactive: boolean;
}

/** Where most lines begin to speak. */
const INDENT = 14;
const ABOVE = '\x1b[1A\x1b[2K';
const bold = (text: string): string => `\x1b[1m${text}\x1b[22m`;

/** Breaks at spaces; a word longer than the line stays whole. */
export const wrap = (text: string, width: number, indent: number): string[] => {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(lines.length === 0 ? word : ' '.repeat(indent) + word);
  }
  return lines;
};

/** `2026-11-24T09:00:00.000Z` → `2026-11-24 09:00`, also within a text. */
export const shorten = (text: string): string =>
  text.replace(/(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d\.\d{3}Z/g, '$1 $2');

/** Without a terminal nobody sees a line change: what stays is printed, one line each. */
const plainScreen = (write: (line: string) => void): Screen => ({
  columns: 100,
  line: (text = '') => write(text),
  heading: (text) => write(text),
  paragraph: (text) => write(text),
  verbatim: write,
  status: (text, mark = false) => (mark ? write(text) : undefined),
  done: () => undefined,
});

const terminalScreen = ({ write, columns }: ScreenOptions): Screen => {
  let shown: string | undefined;
  const widthNow = (): number => Math.min(Math.max(columns(), 40), 120);
  /** Each write ends its line, so the status is always the line above the cursor. */
  const put = (text: string): void => {
    if (shown === undefined) write(text);
    else write(`${ABOVE}${text}\n${shown}`);
  };
  return {
    get columns() {
      return widthNow();
    },
    line: (text = '') => wrap(text, widthNow(), INDENT).forEach(put),
    heading: (text) => put(bold(text)),
    paragraph: (text, indent) => wrap(text, widthNow(), indent).forEach(put),
    verbatim: put,
    status: (text) => {
      const line = text.slice(0, widthNow() - 1);
      write(shown === undefined ? line : `${ABOVE}${line}`);
      shown = line;
    },
    done: () => (shown = undefined),
  };
};

export const createScreen = (options: ScreenOptions): Screen =>
  options.interactive ? terminalScreen(options) : plainScreen(options.write);

export const silentScreen: Screen = plainScreen(() => undefined);
