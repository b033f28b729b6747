/** The mails there are: a rule may choose one, and each has its wording. */
export const mailTemplates = [
  'payment_failed',
  'authentication_required',
  'update_card',
  'other_method',
  'final_notice',
] as const;
export type MailTemplate = (typeof mailTemplates)[number];
