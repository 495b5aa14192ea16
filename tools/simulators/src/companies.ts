import type { ShipTo } from '@v402/domain';

/** A company whose agents trade. */
export interface Company {
  /** Its party id in contracts. */
  readonly id: string;
  readonly name: string;
  /** What it prefers to be paid in, ISO 4217. */
  readonly currency: string;
  readonly address: ShipTo;
  /** Which bank rails its approved accounts take, in its currency. */
  readonly bankRails: readonly ('sepa' | 'ach')[];
}

function company(
  host: string,
  name: string,
  currency: string,
  address: Omit<ShipTo, 'name'>,
  bankRails: Company['bankRails'] = [],
): Company {
  return { id: `did:web:${host}.example`, name, currency, address: { name, ...address }, bankRails };
}

/** The group of companies that the simulated handler settles for. They trade with the others, and with each other. */
export const SERVED_COMPANIES: readonly Company[] = [
  company(
    'nordwind',
    'Nordwind Maschinenbau GmbH',
    'EUR',
    { street: 'Am Sandtorkai 48', city: 'Hamburg', postalCode: '20457', country: 'DE' },
    ['sepa'],
  ),
  company(
    'lakeside',
    'Lakeside Components Inc.',
    'USD',
    { street: '233 S Wacker Dr', city: 'Chicago', postalCode: '60606', region: 'IL', country: 'US' },
    ['ach'],
  ),
  company('alpenstahl', 'Alpenstahl AG', 'CHF', {
    street: 'Hardstrasse 201',
    city: 'Zürich',
    postalCode: '8005',
    country: 'CH',
  }),
];

/** Their trading partners. One that is paid in euros has no approved account: payments to it stop. */
export const PARTNER_COMPANIES: readonly Company[] = [
  company('hayashi', '林精密工業株式会社', 'JPY', {
    city: '大阪市',
    region: '大阪府',
    postalCode: '530-0001',
    country: 'JP',
  }),
  company('gulf-marine', 'Gulf Marine Supplies W.L.L.', 'BHD', { city: 'Manama', country: 'BH' }),
  company(
    'ligure-cavi',
    'Società Ligure Cavi S.p.A.',
    'EUR',
    { street: 'Via Gramsci 10', city: 'Genova', postalCode: '16126', region: 'GE', country: 'IT' },
    ['sepa'],
  ),
  company('garonne', 'Garonne Roulements SARL', 'EUR', { city: 'Toulouse', postalCode: '31000', country: 'FR' }),
  company(
    'prairie',
    'Prairie Fasteners LLC',
    'USD',
    { street: '1500 Harney St', city: 'Omaha', postalCode: '68102', region: 'NE', country: 'US' },
    ['ach'],
  ),
  company('severn', 'Severn Valves Ltd', 'GBP', { city: 'Bristol', postalCode: 'BS1 5TR', country: 'GB' }),
  company('fjord', 'Fjordfeste AS', 'NOK', { city: 'Bergen', postalCode: '5003', country: 'NO' }),
];

/** Everybody whose keys the trust registry knows. */
export const COMPANIES: readonly Company[] = [...SERVED_COMPANIES, ...PARTNER_COMPANIES];
