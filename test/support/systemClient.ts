/** A client of the HTTP interface, as a merchant's server would be. */
export interface Reply<B = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: B;
}

export interface Request {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
  readonly form?: Record<string, string>;
  readonly raw?: string;
}

const bodyOf = ({ json, form, raw }: Request): string | undefined => {
  if (json !== undefined) return JSON.stringify(json);
  return form === undefined ? raw : new URLSearchParams(form).toString();
};

const headersOf = ({ json, form, token, headers }: Request): Record<string, string> => ({
  ...(json !== undefined && { 'content-type': 'application/json' }),
  ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
  ...(token !== undefined && { authorization: `Bearer ${token}` }),
  ...headers,
});

export const send = async <B = Record<string, unknown>>(
  url: string,
  request: Request = {},
): Promise<Reply<B>> => {
  const body = bodyOf(request);
  const response = await fetch(url, {
    method: request.method ?? (body === undefined ? 'GET' : 'POST'),
    redirect: 'manual',
    headers: headersOf(request),
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: (isJson ? JSON.parse(text) : {}) as B,
  };
};
