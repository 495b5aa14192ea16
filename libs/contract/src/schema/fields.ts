import { compareDecimals, DECIMAL_PATTERN, decimalSign, isCalendarDate, isInstant, minorDigits } from '@v402/domain';
import { z } from 'zod';

/*
 * Every check aborts its field: what looks at several fields then runs only on fields that have their form.
 */
const aborting = { abort: true } as const;

/**
 * What no string may hold: C0, C1 and DEL (`Cc`), lone surrogates, Unicode noncharacters and bidirectional controls. The
 * properties are frozen by Unicode's stability policy; the bidirectional controls are those that section 3 lists.
 */
const REFUSED = String.raw`\p{Cc}\p{Surrogate}\p{Noncharacter_Code_Point}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069`;
const REFUSED_CHARACTER = new RegExp(`[${REFUSED}]`, 'u');

export function hasRefusedCharacter(value: string): boolean {
  return REFUSED_CHARACTER.test(value);
}

function matching(pattern: RegExp): z.ZodString {
  return z.string().regex(pattern, aborting);
}

/** A string of section 3: `min` to `max` Unicode code points, none of them refused. */
export function contractText(min = 1, max = 512): z.ZodString {
  return matching(new RegExp(`^[^${REFUSED}]{${min},${max}}$`, 'u'));
}

export const plainText = contractText();
export const negotiationId = matching(/^[A-Za-z0-9._:-]{1,128}$/);
export const sha256Hex = matching(/^[0-9a-f]{64}$/);
export const unitCode = matching(/^[A-Z0-9]{2,3}$/);
export const countryCode = matching(/^[A-Z]{2}$/);
export const taxCategory = matching(/^[A-Z]{1,3}$/);
/** CAIP-2. */
export const chainId = matching(/^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/);
export const currency = z.string().refine((code) => minorDigits(code) !== undefined, aborting);
export const instant = plainText.refine(isInstant, aborting);
export const calendarDate = z.string().refine(isCalendarDate, aborting);

export const decimal = matching(DECIMAL_PATTERN);
export const positiveDecimal = decimal.refine((value) => decimalSign(value) > 0, aborting);
export const nonNegativeDecimal = decimal.refine((value) => decimalSign(value) >= 0, aborting);
export const percentage = nonNegativeDecimal.refine((value) => compareDecimals(value, '100') <= 0, aborting);

export function integer(min: number, max = Number.MAX_SAFE_INTEGER): z.ZodInt {
  return z.int().min(min, aborting).max(max, aborting);
}

/**
 * The length is looked at before any item: a message of a million bytes may hold hundreds of thousands of items, and
 * each would be checked and found wrong otherwise.
 */
export function list<T extends z.ZodType>(item: T, min: number, max: number): z.ZodArray<T> {
  return z.array(item).min(min, aborting).max(max, aborting);
}
