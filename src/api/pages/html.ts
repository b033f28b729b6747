const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** HTML that needs no escaping any more. Only `html` makes it. */
export class Html {
  constructor(readonly markup: string) {}
}

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (found) => entities[found] ?? found);

/** A template tag: everything put in is escaped, unless it is Html itself. */
export const html = (parts: TemplateStringsArray, ...values: readonly (string | Html)[]): Html =>
  new Html(
    parts.reduce((out, part, index) => {
      const value = values[index - 1] ?? '';
      return out + (value instanceof Html ? value.markup : escapeHtml(value)) + part;
    }),
  );
