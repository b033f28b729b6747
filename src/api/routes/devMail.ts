import { Type } from 'typebox';
import type { CaughtMail, MailCatcher } from '../dependencies.js';
import { html as markup, Html } from '../pages/html.js';
import { found } from '../paging.js';
import { html, type Route, route } from '../route.js';
import { closed } from '../schemas/common.js';

const params = closed({
  id: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$', description: 'a mail' }),
});
const tag = 'Development';

const item = ({ id, to, subject, caughtAt }: CaughtMail): Html =>
  markup`<tr><td>${caughtAt}</td><td>${to}</td><td><a href="/dev/mail/${id}">${subject}</a></td>
    <td><a href="/dev/mail/${id}/source">source</a></td></tr>`;

const listPage = (mails: readonly CaughtMail[]): string => {
  const rows = mails.map(item).map(({ markup: row }) => row);
  return markup`<!doctype html><html lang="en"><head><meta charset="utf-8" /><title>Caught mail</title></head>
    <body><h1>Caught mail</h1><p>${String(mails.length)} messages, the newest first. Nothing was sent.</p>
    <table cellpadding="6">${new Html(rows.join(''))}</table></body></html>`.markup;
};

/** What the development mail catcher holds. */
export const devMailRoutes = (catcher: MailCatcher): readonly Route[] => [
  route({
    method: 'get',
    path: '/dev/mail',
    operationId: 'listMail',
    tag,
    summary: 'Mails caught in development',
    access: 'public',
    hidden: true,
    responses: { 200: { description: 'The list' } },
    handler: async () => html(listPage(await catcher.list())),
  }),
  route({
    method: 'get',
    path: '/dev/mail/{id}',
    operationId: 'readMail',
    tag,
    summary: 'A caught mail as its reader sees it',
    access: 'public',
    params,
    hidden: true,
    responses: { 200: { description: 'The mail' } },
    handler: async (context) => html(found(await catcher.read(context.params.id), 'mail').html),
  }),
  route({
    method: 'get',
    path: '/dev/mail/{id}/source',
    operationId: 'mailSource',
    tag,
    summary: 'A caught mail as it would have been sent',
    access: 'public',
    params,
    hidden: true,
    responses: { 200: { description: 'The message' } },
    handler: async (context) => {
      const content = found(await catcher.read(context.params.id), 'mail').eml;
      return { status: 200, text: { type: 'text/plain; charset=utf-8', content } };
    },
  }),
];
