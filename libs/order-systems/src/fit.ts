import type { OrderDraft, OrderSystemCapabilities, PreflightIssue } from '@v402/application';
import type { DecimalText } from '@v402/domain';

/** Fraction digits that the value needs: 1 for `1.50`. */
const scaleOf = (text: DecimalText): number => (/\.([0-9]*[1-9])0*$/.exec(text)?.[1] ?? '').length;

/** What of a draft an order system of these capabilities could not hold; what adapters check first in their `preflight`. */
export const fitIssues = (draft: OrderDraft, capabilities: OrderSystemCapabilities): PreflightIssue[] => [
  ...referenceIssues(draft.reference, capabilities),
  ...scaleIssues(draft, capabilities),
];

const referenceIssues = (reference: string, capabilities: OrderSystemCapabilities): PreflightIssue[] => {
  const { refMaxLength, refCharset } = capabilities;
  const characters = Array.from(reference);
  const issues: PreflightIssue[] = [];
  if (characters.length > refMaxLength) issues.push({ code: 'reference_too_long', where: '' });
  if (!characters.every((character) => refCharset.test(character))) {
    issues.push({ code: 'reference_character_unsupported', where: '' });
  }
  return issues;
};

const scaleIssues = ({ contract }: OrderDraft, capabilities: OrderSystemCapabilities): PreflightIssue[] => {
  const { lines, delivery } = contract.terms;
  const { priceScale, quantityScale } = capabilities;
  const issues: PreflightIssue[] = [];
  const check = (code: string, where: string, value: DecimalText | undefined, scale: number): void => {
    if (value !== undefined && scaleOf(value) > scale) issues.push({ code, where });
  };
  lines.forEach((line, index) => {
    const where = `/terms/lines/${index}`;
    check('price_scale_exceeded', `${where}/unitPrice`, line.unitPrice, priceScale);
    check('quantity_scale_exceeded', `${where}/quantity`, line.quantity, quantityScale);
    check('quantity_scale_exceeded', `${where}/priceBasis`, line.priceBasis, quantityScale);
  });
  delivery.schedule.forEach(({ items }, index) => {
    items.forEach(({ quantity }, item) => {
      const where = `/terms/delivery/schedule/${index}/items/${item}/quantity`;
      check('quantity_scale_exceeded', where, quantity, quantityScale);
    });
  });
  return issues;
};
