/** Holds answers against the OpenAPI document: what a client sees must be what it was promised. */
interface Answer {
  readonly status: number;
  readonly headers: Headers;
}

interface Response {
  readonly content?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, unknown>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, Response>>;
}

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

const patternOf = (path: string): RegExp => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`);

/** @returns a check that throws when an operation's answer is of another status, media type or header than documented */
export const documentedBy = (document: { readonly paths?: unknown }) => {
  const paths = Object.entries(document.paths as Paths).map(([path, operations]) => ({
    pattern: patternOf(path),
    operations,
  }));
  return (method: string, url: string, { status, headers }: Answer): void => {
    const path = url.split('?')[0] ?? '';
    const verb = method === 'HEAD' ? 'get' : method.toLowerCase();
    const operation = paths.find(({ pattern }) => pattern.test(path))?.operations[verb];
    if (operation === undefined) return;
    const what = `${method} ${path} answers ${status}`;
    const documented = operation.responses[status];
    if (documented === undefined) throw new Error(`${what}, which is not documented`);
    const media = headers.get('content-type')?.split(';')[0];
    if (media !== undefined && documented.content?.[media] === undefined)
      throw new Error(`${what} as ${media}, which is not documented`);
    if (headers.has('x-event-position') && documented.headers?.['X-Event-Position'] === undefined)
      throw new Error(`${what} with a position, which is not documented`);
  };
};
