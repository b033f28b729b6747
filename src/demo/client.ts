/** What an HTTP client of a merchant, or a customer's browser, sends and gets. */
interface Request {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly location: string | null;
  readonly text: string;
}

const causeOf = (error: unknown): string => {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string };
  return cause?.code ?? cause?.message ?? message ?? String(error);
};

export class Client {
  #token: string | undefined;

  constructor(
    readonly baseUrl: string,
    private readonly signal: AbortSignal,
  ) {}

  useToken(token: string): void {
    this.#token = token;
  }

  /** @throws Error naming the call, when it is not answered with one of `expected` */
  async send(address: string, request: Request, ...expected: readonly number[]): Promise<Answer> {
    const url = new URL(address, this.baseUrl);
    const { method = 'GET' } = request;
    const call = `${method} ${url.pathname}`;
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, { ...request, redirect: 'manual', signal: this.signal });
      text = await response.text();
    } catch (error) {
      if (this.signal.aborted) throw error;
      throw new Error(`${call} was not answered: ${causeOf(error)}`, { cause: error });
    }
    if (!expected.includes(response.status))
      throw new Error(`${call} was answered with ${response.status}: ${text.slice(0, 400)}`);
    return { status: response.status, location: response.headers.get('location'), text };
  }

  async get<T>(path: string): Promise<T> {
    return JSON.parse((await this.send(path, { headers: this.#authorization() }, 200)).text) as T;
  }

  async write<T>(
    method: 'POST' | 'PUT',
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const all = { ...this.#authorization(), 'Content-Type': 'application/json', ...headers };
    const answer = await this.send(path, { method, headers: all, body: JSON.stringify(body) }, 200, 201, 202);
    return JSON.parse(answer.text) as T;
  }

  #authorization(): Record<string, string> {
    return this.#token === undefined ? {} : { Authorization: `Bearer ${this.#token}` };
  }
}
