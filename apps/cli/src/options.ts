import { isInstant, type Instant } from '@v402/domain';
import { InvalidArgumentError } from 'commander';

/** Reads an option that is an instant. */
export function instantOption(text: string): Instant {
  if (!isInstant(text)) throw new InvalidArgumentError('An instant is like 2026-11-21T10:15:30.120Z.');
  return text;
}

/** Reads an option that is a whole number from `min` on. */
export function wholeNumberOption(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,9}$/.test(text) || value < min) throw new InvalidArgumentError(`A whole number from ${min} on.`);
    return value;
  };
}

/** Reads a comma-separated list of ids of parties. */
export function partiesOption(text: string): readonly string[] {
  const parties = text.split(',').map((party) => party.trim());
  if (parties.includes('')) throw new InvalidArgumentError('Ids of parties, comma-separated, or * for all.');
  return parties;
}
