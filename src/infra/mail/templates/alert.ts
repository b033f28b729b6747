import type { Category } from '../../../events/recovery.js';
import { framed, font } from './frame.js';

/** Liquid, with `merchant_name`, `reference` and `money`. */
export const alertWording = {
  subject: 'Payment {{ reference }} of {{ money }} needs your attention',
  lead: 'The payment {{ reference }} of {{ money }} to {{ merchant_name }} failed, and something about it is for you to do.',
};

/** What helps where the customer can do nothing. */
export const whatToDo: Readonly<Partial<Record<Category, string>>> = {
  merchant_config:
    'Check your account with the payment provider: the API key, the settings, and the amount and currency of the order.',
  psp_blocked: 'Review the payment with your payment provider, and allow it there if it is genuine.',
  revoked: 'Talk to the customer before any other charge.',
  duplicate: 'Look for the first charge with your payment provider: the debt may be paid already.',
};

/** Like the mails to customers; the address is text, since it wants a token that no browser has. */
export const alertHtml = framed(`<tr><td style="padding:28px 32px 0;font:400 16px/1.6 ${font};color:#374151;">
<p style="margin:0 0 16px;">{{ lead }}</p>
{%- if by_rule %}
<p style="margin:0 0 16px;">{% if rule == '' %}A rule of yours{% else %}Your rule "{{ rule }}"{% endif %} asks to tell you: {{ reason }}</p>
{%- else %}
<p style="margin:0 0 16px;">{{ reason }}</p>
<p style="margin:0 0 16px;">{{ request }}</p>
{%- endif %}
</td></tr>
<tr><td style="padding:16px 32px 28px;font:400 13px/1.6 ${font};color:#6b7280;">
<p style="margin:0 0 8px;">Other payments may be affected as well; how many is not known yet. You get one mail a day at most for the same cause.</p>
<p style="margin:0;">Everything about this payment, for your API client:<br><span style="word-break:break-all;">GET {{ link }}</span></p>
</td></tr>
`);

export const alertText = `{{ lead }}
{% if by_rule %}
{% if rule == '' %}A rule of yours{% else %}Your rule "{{ rule }}"{% endif %} asks to tell you: {{ reason }}
{% else %}
{{ reason }}

{{ request }}
{% endif %}
Other payments may be affected as well; how many is not known yet.
You get one mail a day at most for the same cause.

Everything about this payment, for your API client:
GET {{ link }}
`;
