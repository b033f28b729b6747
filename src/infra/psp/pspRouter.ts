import type { PspProvider } from '../../events/organization.js';
import { DomainError } from '../../kernel/errors.js';
import type { OrgId } from '../../kernel/ids.js';
import type { Debt, Psp } from '../../kernel/ports.js';

export interface PspRouterOptions {
  readonly sandbox: Psp;
  readonly stripe: Psp;
  /** What the organization connected, from its stream. May reject: the outcome is then unknown. */
  readonly connectionOf: (orgId: OrgId) => Promise<PspProvider | undefined>;
  /** Gateway `sandbox` works without a connection: everywhere but in production. */
  readonly openSandbox: boolean;
}

/**
 * The PSP of a debt: an organization that connected the sandbox gets it for everything; else the debt's gateway
 * decides, as far as it is connected.
 */
export const pspRouter = ({ sandbox, stripe, connectionOf, openSandbox }: PspRouterOptions): Psp => {
  const pspOf = async (debt: Debt): Promise<Psp | undefined> => {
    const connection = await connectionOf(debt.orgId);
    if (connection === 'sandbox') return sandbox;
    if (debt.gateway === 'sandbox') return openSandbox ? sandbox : undefined;
    return debt.gateway === 'stripe' && connection === 'stripe' ? stripe : undefined;
  };

  const reachable = async (debt: Debt): Promise<Psp | undefined | 'unavailable'> => {
    try {
      return await pspOf(debt);
    } catch {
      return 'unavailable';
    }
  };

  const ask =
    (question: 'charge' | 'lookup'): Psp['charge'] =>
    async (debt, idempotencyKey, requestId) => {
      const psp = await reachable(debt);
      if (psp === 'unavailable') return { status: 'unknown', reason: 'connection_unavailable' };
      return (
        psp?.[question](debt, idempotencyKey, requestId) ?? {
          status: 'declined',
          failure: { code: 'psp_not_connected' },
        }
      );
    };

  return {
    charge: ask('charge'),
    lookup: ask('lookup'),
    openCheckout: async (debt, page) => {
      const psp = await pspOf(debt);
      if (psp === undefined) throw new DomainError('unavailable', `No PSP is connected for ${debt.gateway}`);
      return psp.openCheckout(debt, page);
    },
    closeCheckout: async (debt, reference, requestId) => {
      const psp = await reachable(debt);
      if (psp === 'unavailable') return { status: 'undecided', reason: 'connection_unavailable' };
      return psp?.closeCheckout(debt, reference, requestId) ?? { status: 'closed' };
    },
  };
};
