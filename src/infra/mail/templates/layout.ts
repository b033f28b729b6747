/**
 * The one layout of every mail, Liquid. Tables and inline styles, as mail programs need them; one column that fits a
 * phone. `{{ }}` is escaped by the engine. Kept in code, so that a build carries it along.
 */
export const htmlLayout = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{{ subject }}</title>
</head>
<body style="margin:0;padding:0;background:#f3f4f6;">
<div style="display:none;max-height:0;overflow:hidden;">{{ lead }}</div>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f3f4f6;">
<tr><td align="center" style="padding:32px 16px;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:520px;background:#ffffff;border:1px solid #e5e7eb;border-radius:12px;">
<tr><td style="padding:28px 32px 0;font:600 16px/1.4 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#111827;">{{ merchant_name }}</td></tr>
<tr><td style="padding:20px 32px 0;font:400 16px/1.6 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#374151;">
<p style="margin:0 0 16px;">{{ greeting }}</p>
<p style="margin:0 0 16px;">{{ lead }}</p>
{%- if reason != '' %}
<p style="margin:0 0 16px;">{{ reason }}</p>
{%- endif %}
<p style="margin:0 0 8px;">{{ request }}</p>
</td></tr>
<tr><td style="padding:8px 32px 0;font:700 30px/1.3 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#111827;">{{ money }}</td></tr>
<tr><td style="padding:20px 32px 0;">
<table role="presentation" cellpadding="0" cellspacing="0"><tr><td style="border-radius:8px;background:#1d4ed8;">
<a href="{{ link }}" style="display:inline-block;padding:14px 28px;font:600 16px/1 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#ffffff;text-decoration:none;">{{ button }}</a>
</td></tr></table>
</td></tr>
<tr><td style="padding:24px 32px 28px;font:400 13px/1.6 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#6b7280;">
<p style="margin:0 0 8px;">Does the button not work? Copy this address into your browser:<br><a href="{{ link }}" style="color:#1d4ed8;word-break:break-all;">{{ link }}</a></p>
<p style="margin:0;">If you have paid in the meantime, there is nothing left to do. We never ask for card details by mail.</p>
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;

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
