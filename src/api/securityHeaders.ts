import type { Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import { pageCsp } from './pages/layout.js';

type Directives = Readonly<Record<string, readonly string[]>>;

const NOTHING: Directives = {
  defaultSrc: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
};
/** Caught mails are styled inline. */
const MAILS: Directives = { ...NOTHING, styleSrc: ["'unsafe-inline'"], imgSrc: ["'self'", 'data:'] };
/** Swagger UI styles inline and talks to this origin only. */
const DOCS: Directives = {
  ...NOTHING,
  scriptSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  fontSrc: ["'self'"],
};

type Headers = readonly (readonly [string, string])[];

/** helmet's headers never change from request to request, so they are asked for once. */
const headersOf = (directives: Directives, https: boolean): Headers => {
  const collected: [string, string][] = [];
  const collector = {
    setHeader: (name: string, value: string) => collected.push([name, value]),
    removeHeader: () => undefined,
  };
  const protect = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: directives as Record<string, Iterable<string>>,
    },
    strictTransportSecurity: https,
    referrerPolicy: { policy: 'no-referrer' },
  });
  protect({} as Request, collector as unknown as Response, () => undefined);
  return collected;
};

/** Strict security headers, by what a path serves: data, our pages, caught mails or the API's documentation. */
export const securityHeaders = ({ publicBaseUrl }: { readonly publicBaseUrl: string }): RequestHandler => {
  const https = publicBaseUrl.startsWith('https:');
  const data = headersOf(NOTHING, https);
  const pages = data.map(([name, value]) =>
    name === 'Content-Security-Policy' ? ([name, pageCsp] as const) : ([name, value] as const),
  );
  const mails = headersOf(MAILS, https);
  const docs = headersOf(DOCS, https);
  const headersFor = (url: string): Headers => {
    if (url.startsWith('/v1/')) return data;
    if (url.startsWith('/r/') || url.startsWith('/sandbox/')) return pages;
    if (url.startsWith('/docs')) return docs;
    return url.startsWith('/dev/') ? mails : data;
  };
  return (req, res, next) => {
    for (const [name, value] of headersFor(req.url)) res.setHeader(name, value);
    next();
  };
};
