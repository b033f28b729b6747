import { font, framed } from './frame.js';

const preview = `<div style="display:none;max-height:0;overflow:hidden;">{{ lead }}</div>
`;

/** The one layout of every mail to a customer. */
export const htmlLayout = framed(
  `<tr><td style="padding:28px 32px 0;font:600 16px/1.4 ${font};color:#111827;">{{ merchant_name }}</td></tr>
<tr><td style="padding:20px 32px 0;font:400 16px/1.6 ${font};color:#374151;">
<p style="margin:0 0 16px;">{{ greeting }}</p>
<p style="margin:0 0 16px;">{{ lead }}</p>
{%- if reason != '' %}
<p style="margin:0 0 16px;">{{ reason }}</p>
{%- endif %}
<p style="margin:0 0 8px;">{{ request }}</p>
</td></tr>
<tr><td style="padding:8px 32px 0;font:700 30px/1.3 ${font};color:#111827;">{{ money }}</td></tr>
<tr><td style="padding:20px 32px 0;">
<table role="presentation" cellpadding="0" cellspacing="0"><tr><td style="border-radius:8px;background:#1d4ed8;">
<a href="{{ link }}" style="display:inline-block;padding:14px 28px;font:600 16px/1 ${font};color:#ffffff;text-decoration:none;">{{ button }}</a>
</td></tr></table>
</td></tr>
<tr><td style="padding:24px 32px 28px;font:400 13px/1.6 ${font};color:#6b7280;">
<p style="margin:0 0 8px;">Does the button not work? Copy this address into your browser:<br><a href="{{ link }}" style="color:#1d4ed8;word-break:break-all;">{{ link }}</a></p>
<p style="margin:0;">If you have paid in the meantime, there is nothing left to do. We never ask for card details by mail.</p>
</td></tr>
`,
  preview,
);

export const textLayout = `{{ greeting }}

{{ lead }}
{% if reason != '' %}
{{ reason }}
{% endif %}
{{ request }}

  {{ money }}

{{ button }}:
{{ link }}

If you have paid in the meantime, there is nothing left to do.
We never ask for card details by mail.

{{ merchant_name }}
`;
