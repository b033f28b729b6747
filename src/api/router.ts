import { type Request, type RequestHandler, type Response, Router } from 'express';
import { DomainError } from '../kernel/errors.js';
import { withTimeBudget } from '../kernel/timeBudget.js';
import { readForm, readJson, readRaw } from './body/readBody.js';
import type { Dependencies } from './dependencies.js';
import { authenticate } from './auth/authenticate.js';
import { awaitPosition } from './positions.js';
import { contextOf } from './requestContext.js';
import { responseChecker } from './responseChecks.js';
import type { Method, Route, RouteContext } from './route.js';
import { send } from './send.js';
import { coercion, compile, refuseFaults, type Validator } from './validation.js';

type Parser = (req: Request) => unknown;
const nothing = (): unknown => undefined;

const toExpressPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

const checked = (parse: Parser, validate: Validator): Parser => {
  return (req) => {
    const value = parse(req);
    refuseFaults(validate(value));
    return value;
  };
};

/** One value per name; NUL is refused here, as no column could hold it. */
const queryOf = (req: Request): Record<string, string> => {
  const start = req.url.indexOf('?');
  if (start === -1) return {};
  const values = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(req.url.slice(start + 1))) {
    if (values.has(name)) refuseFaults([{ pointer: `/query/${name}`, detail: 'is given twice' }]);
    if (value.includes('\0'))
      refuseFaults([{ pointer: `/query/${name}`, detail: 'must not hold the character U+0000' }]);
    values.set(name, value);
  }
  return Object.fromEntries(values);
};

const paramsParser = ({ params }: Route): Parser =>
  params === undefined ? nothing : checked((req) => req.params, compile(params, '/path'));

const queryParser = ({ query }: Route): Parser => {
  if (query === undefined) return nothing;
  const coerce = coercion(query);
  return checked((req) => coerce(queryOf(req)), compile(query, '/query'));
};

const bodyParser = ({ body, bodyOptional, consumes }: Route): ((req: Request) => Promise<unknown>) => {
  if (consumes === 'raw') return readRaw;
  if (body === undefined) return () => Promise.resolve(undefined);
  const validate = compile(body, '');
  return async (req) => {
    const value = consumes === 'form' ? await readForm(req) : await readJson(req, bodyOptional === true);
    if (value !== undefined) refuseFaults(validate(value));
    return value;
  };
};

/**
 * Everything that a request to the route goes through, made once: who asks, may they, is it well-formed, has the read
 * model got as far as they know, then the handler and its answer.
 */
const toHandler = (definition: Route, deps: Dependencies): RequestHandler => {
  const { access, reads, handler } = definition;
  const login = access === 'public' ? undefined : authenticate(deps, access);
  const parseParams = paramsParser(definition);
  const parseQuery = queryParser(definition);
  const parseBody = bodyParser(definition);
  const check = deps.validateResponses === true ? responseChecker(definition) : undefined;
  const answer = async (req: Request, res: Response): Promise<void> => {
    const request = contextOf(res);
    const principal = login && (request.principal = await login(req));
    const params = parseParams(req);
    const query = parseQuery(req);
    const body = await parseBody(req);
    if (reads !== undefined) await awaitPosition(deps, reads, req.headers['x-min-position']);
    const context = { deps, request, principal, params, query, body, headers: req.headers, req };
    const reply = await handler(context as unknown as RouteContext);
    check?.(reply);
    await send(res, reply);
  };
  const { logTimeMs } = deps;
  return logTimeMs === undefined ? answer : (req, res) => withTimeBudget(logTimeMs, () => answer(req, res));
};

const refuseMethod =
  (methods: readonly Method[]): RequestHandler =>
  (_req, res) => {
    const allowed = methods.map((method) => method.toUpperCase());
    res.setHeader('Allow', allowed.includes('GET') ? ['HEAD', ...allowed].join(', ') : allowed.join(', '));
    throw new DomainError('method_not_allowed', 'The path does not take this method');
  };

/** Express's router over the routes: same path, other method → 405 with Allow. */
export const createRouter = (routes: readonly Route[], deps: Dependencies): Router => {
  const router = Router({ caseSensitive: true, strict: true });
  for (const path of new Set(routes.map((one) => one.path))) {
    const same = routes.filter((one) => one.path === path);
    const place = router.route(toExpressPath(path));
    for (const one of same) place[one.method](toHandler(one, deps));
    place.all(refuseMethod(same.map((one) => one.method)));
  }
  return router;
};
