export const font = "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

/**
 * What stands around every mail, Liquid. Tables and inline styles, as mail programs need them; one column that fits a
 * phone. `{{ }}` is escaped by the engine. Kept in code, so that a build carries it along.
 * @param rows of the table
 * @param preview what a list of mails shows beside the subject
 */
export const framed = (rows: string, preview = ''): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{{ subject }}</title>
</head>
<body style="margin:0;padding:0;background:#f3f4f6;">
${preview}<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f3f4f6;">
<tr><td align="center" style="padding:32px 16px;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:520px;background:#ffffff;border:1px solid #e5e7eb;border-radius:12px;">
${rows}</table>
</td></tr>
</table>
</body>
</html>
`;
