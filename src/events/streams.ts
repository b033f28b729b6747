/** Every stream is called `<kind>-<UUID>`. */
export const streamKinds = [
  'organization',
  'rules',
  'user',
  'payment',
  'recovery',
  'credential',
  'alert',
] as const;
