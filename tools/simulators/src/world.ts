import { RAILS, type Instant, type Rail } from '@v402/domain';
import { Agent } from './agents.js';
import { COMPANIES, SERVED_COMPANIES, type Company } from './companies.js';

/** How the handler under test is configured: what its expected behaviour depends on. */
export interface Handling {
  readonly handlerId: string;
  /** Ids of the parties that it serves. */
  readonly parties: readonly string[];
  readonly paymentLeadDays: Readonly<Record<Rail, number>>;
  readonly deliveryLeadDays: number;
}

const NO_LEAD = Object.fromEntries(RAILS.map((rail) => [rail, 0])) as Record<Rail, number>;

export const HANDLING: Handling = {
  handlerId: 'simulated-handler',
  parties: SERVED_COMPANIES.map(({ id }) => id),
  paymentLeadDays: { ...NO_LEAD, sepa: 1, ach: 2 },
  deliveryLeadDays: 14,
};

/** The companies with their agents, at one moment. */
export class World {
  readonly #agents: ReadonlyMap<string, Agent>;

  constructor(
    seed: number,
    readonly now: Instant,
  ) {
    this.#agents = new Map(COMPANIES.map((company) => [company.id, new Agent(company, seed)]));
  }

  agentOf({ id }: Pick<Company, 'id'>): Agent {
    const agent = this.#agents.get(id);
    if (agent === undefined) throw new RangeError(`${id} has no agent.`);
    return agent;
  }

  /** A trust registry, `v402-trust-registry/1`, as JSON text. */
  trustRegistry(): string {
    const parties = [...this.#agents.values()].map((agent) => agent.registered(this.now));
    return `${JSON.stringify({ format: 'v402-trust-registry/1', parties }, null, 2)}\n`;
  }
}

/** Whether the handler's master data has an approved account of this party. */
export function hasApprovedAccount(partyId: string, rail: Rail, currency: string): boolean {
  const company = COMPANIES.find(({ id }) => id === partyId);
  return company?.currency === currency && company.bankRails.some((each) => each === rail);
}

/** The approved accounts, `v402-payment-accounts/1`, as JSON text. */
export function paymentAccounts(): string {
  const accounts = COMPANIES.flatMap(({ id: party, currency, bankRails }) =>
    bankRails.map((rail) => ({ party, rail, currency, account: ACCOUNTS[rail] })),
  );
  return `${JSON.stringify({ format: 'v402-payment-accounts/1', accounts }, null, 2)}\n`;
}

/** Account numbers of documentation; nobody is paid there. */
const ACCOUNTS = {
  sepa: { scheme: 'iban', identification: 'DE89370400440532013000', agent: 'COBADEFFXXX' },
  ach: { scheme: 'other', identification: '000123456789', agent: '021000021' },
} as const;
