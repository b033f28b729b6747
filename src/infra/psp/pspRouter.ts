import type { PspProvider } from '../../events/organization.js';
import { DomainError } from '../../kernel/errors.js';
import type { OrgId } from '../../kernel/ids.js';
import type { Debt, Psp } from '../../kernel/ports.js';

export interface Connections {
  /** What the organization connected, from its stream. May reject: the outcome is then unknown. */
  readonly connectionOf: (orgId: OrgId) => Promise<PspProvider | undefined>;
  /** Gateway `sandbox` works without a connection: everywhere but in production. */
  readonly openSandbox: boolean;
}

export interface PspRouterOptions extends Connections {
  readonly sandbox: Psp;
  readonly stripe: Psp;
}

/**
 * The PSP of a debt: an organization that connected the sandbox gets it for everything; else the debt's gateway
 * decides, as far as it is connected.
 */
const providerOf =
  ({ connectionOf, openSandbox }: Connections) =>
  async (debt: Debt): Promise<PspProvider | undefined> => {
    const connection = await connectionOf(debt.orgId);
    if (connection === 'sandbox') return 'sandbox';
    if (debt.gateway === 'sandbox') return openSandbox ? 'sandbox' : undefined;
    return debt.gateway === 'stripe' && connection === 'stripe' ? 'stripe' : undefined;
  };

/** How a debt can be collected: Stripe charges what it knows by name, and opens a checkout for anything. */
export const meansOf = (
  connections: Connections,
): ((debt: Debt) => Promise<{ readonly chargeable: boolean; readonly payable: boolean }>) => {
  const provider = providerOf(connections);
  return async (debt) => {
    const psp = await provider(debt);
    const { invoice, payment_intent: intent } = debt.references;
    const known = psp === 'sandbox' || invoice !== undefined || intent !== undefined;
    return { chargeable: psp !== undefined && known, payable: psp !== undefined };
  };
};

export const pspRouter = ({ sandbox, stripe, ...connections }: PspRouterOptions): Psp => {
  const provider = providerOf(connections);
  const psps: Readonly<Record<PspProvider, Psp>> = { sandbox, stripe };
  const pspOf = async (debt: Debt): Promise<Psp | undefined> => {
    const name = await provider(debt);
    return name && psps[name];
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
    stopRetries: async (debt, requestId) => {
      const psp = await reachable(debt);
      if (psp === 'unavailable') return { status: 'undecided', reason: 'connection_unavailable' };
      return psp?.stopRetries(debt, requestId) ?? { status: 'left', reason: 'psp_not_connected' };
    },
    closeCheckout: async (debt, reference, requestId) => {
      const psp = await reachable(debt);
      if (psp === 'unavailable') return { status: 'undecided', reason: 'connection_unavailable' };
      return psp?.closeCheckout(debt, reference, requestId) ?? { status: 'closed' };
    },
  };
};
