import type { RequestHandler } from 'express';
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

const protect = (directives: Directives, https: boolean): RequestHandler =>
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: directives as Record<string, Iterable<string>>,
    },
    strictTransportSecurity: https,
    referrerPolicy: { policy: 'no-referrer' },
  });

/** Strict security headers, by what a path serves: data, our pages, or the API's documentation. */
export const securityHeaders = ({ publicBaseUrl }: { readonly publicBaseUrl: string }): RequestHandler => {
  const https = publicBaseUrl.startsWith('https:');
  const data = protect(NOTHING, https);
  const pages = protect(NOTHING, https);
  const mails = protect(MAILS, https);
  const docs = protect(DOCS, https);
  return (req, res, next) => {
    const { url } = req;
    if (url.startsWith('/v1/')) data(req, res, next);
    else if (url.startsWith('/r/') || url.startsWith('/sandbox/'))
      pages(req, res, () => {
        res.setHeader('Content-Security-Policy', pageCsp);
        next();
      });
    else if (url.startsWith('/dev/')) mails(req, res, next);
    else if (url.startsWith('/docs')) docs(req, res, next);
    else data(req, res, next);
  };
};
