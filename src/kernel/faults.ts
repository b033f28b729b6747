/**
 * Named points between two steps of an effect. In production nothing happens there; the crash tests
 * kill the process at each of them.
 */
export type FaultPoint =
  | 'append:before'
  | 'append:after'
  | 'saga:before-command'
  | 'saga:after-command'
  | 'saga:after-checkpoint'
  | 'projector:before-commit'
  | 'projector:after-commit'
  | 'scheduler:after-lease'
  | 'retry:after-reserve'
  | 'retry:after-intent'
  | 'retry:after-charge'
  | 'retry:after-slot'
  | 'retry:after-outcome'
  | 'stop:after-effect'
  | 'mail:after-intent'
  | 'mail:after-send'
  | 'mail:after-outcome'
  | 'alert:after-claim'
  | 'alert:after-intent'
  | 'alert:after-send'
  | 'alert:after-outcome'
  | 'scheduler:after-release'
  | 'checkout:after-payment'
  | 'relay:after-publish'
  | 'relay:after-checkpoint';

export type Faults = (point: FaultPoint) => void;

export const noFaults: Faults = () => undefined;
