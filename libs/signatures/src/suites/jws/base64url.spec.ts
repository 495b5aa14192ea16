import { decodeBase64Url } from './base64url.js';

describe('strict base64url', () => {
  it('decodes', () => {
    expect(decodeBase64Url('-_8', 2)).toEqual(Buffer.of(0xfb, 0xff));
    expect(decodeBase64Url('', 0)).toEqual(Buffer.alloc(0));
  });

  it.each([
    ['padding', '-_8='],
    ['the letters of base64', '+/8'],
    ['white space', '-_8\n'],
    ['bits that are left over', '-_9'],
    ['a length that no bytes have', '-_8A-'],
    ['another number of bytes', '-_'],
  ])('refuses %s', (_, text) => {
    expect(decodeBase64Url(text, 2)).toBeUndefined();
  });
});
