import { createHash } from 'node:crypto';
import { html, Html } from './html.js';

const css = `
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;justify-content:center;padding:24px 16px;background:#f3f4f6;color:#111827;font:400 16px/1.6 -apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif}
main{width:100%;max-width:440px;background:#fff;border:1px solid #e5e7eb;border-radius:16px;padding:32px;box-shadow:0 1px 2px rgba(17,24,39,.05),0 12px 32px rgba(17,24,39,.06)}
.merchant{margin:0 0 24px;color:#111827;font-weight:600;overflow-wrap:anywhere}
h1{margin:0;font-size:20px;line-height:1.35}
.amount{margin:8px 0 0;color:#111827;font-size:40px;line-height:1.2;font-weight:700;letter-spacing:-.02em;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
p{margin:12px 0 0;color:#4b5563}
form{margin:24px 0 0}
button{display:block;width:100%;margin:12px 0 0;padding:15px 20px;border:1px solid transparent;border-radius:10px;background:#1d4ed8;color:#fff;font-family:inherit;font-size:16px;font-weight:600;line-height:1.25;cursor:pointer}
button:hover{background:#1e40af}
button:focus-visible{outline:3px solid #93c5fd;outline-offset:2px}
button.quiet{background:#fff;color:#374151;border-color:#d1d5db}
button.quiet:hover{background:#f9fafb}
.mark{width:48px;height:48px;margin:0 0 16px;border-radius:50%;display:flex;align-items:center;justify-content:center;font-size:24px;background:#dcfce7;color:#15803d}
.mark.grey{background:#e5e7eb;color:#4b5563}
.note{margin:20px 0 0;padding:12px 14px;border-radius:10px;background:#fef3c7;color:#78350f;font-size:14px}
footer{margin:20px 0 0;color:#6b7280;font-size:13px;text-align:center}
`;

// Not in an html template: its bytes are hashed, and a formatter may move them there.
const style = new Html(`<style>${css}</style>`);

/**
 * For every page of this folder: no script, no outside asset, this one style only. Forms may lead to any HTTPS address,
 * because browsers hold the redirect after the form, to the PSP's checkout, against `form-action` as well.
 */
export const pageCsp = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(css).digest('base64')}'`,
  "form-action 'self' https:",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A whole page. Customers' links must not be indexed nor leave by the Referer header. */
export const page = (title: string, body: Html, footer = new Html('')): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex, nofollow" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        ${style}
      </head>
      <body>
        <main>${body}</main>
        ${footer}
      </body>
    </html> `.markup;

export const mark = (sign: string, grey = false): Html =>
  html`<div class="${grey ? 'mark grey' : 'mark'}" aria-hidden="true">${sign}</div>`;
