import { minorDigits } from './currencies.js';

describe('currencies', () => {
  it('gives the digits of ISO 4217, not those of a locale', () => {
    expect([minorDigits('EUR'), minorDigits('JPY'), minorDigits('BHD'), minorDigits('CLF')]).toEqual([2, 0, 3, 4]);
    expect([minorDigits('IQD'), minorDigits('HUF'), minorDigits('COP')]).toEqual([3, 2, 2]);
  });

  it.each(['XAU', 'DEM', 'BGN', 'HRK', 'eur', '', 'constructor', '__proto__'])('does not know %j', (code) => {
    expect(minorDigits(code)).toBeUndefined();
  });
});
