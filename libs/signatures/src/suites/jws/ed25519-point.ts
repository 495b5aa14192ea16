/** The field of Curve25519, and the curve −x² + y² = 1 + D·x²·y² over it (RFC 8032, section 5.1). */
const P = 2n ** 255n - 19n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
const POINT_BYTES = 32;
const SIGN_BIT = 2n ** 255n;

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; square = mod(square * square), rest >>= 1n) {
    if (rest % 2n === 1n) result = mod(result * square);
  }
  return result;
}

/** Euler's criterion; zero is a square too. */
function isSquare(value: bigint): boolean {
  return value === 0n || power(value, (P - 1n) / 2n) === 1n;
}

/**
 * Whether bytes are a public key that can be trusted: a point as RFC 8032 decodes it (32 bytes, y below p, a root for x, no sign
 * on x = 0) that is not of small order. OpenSSL takes any 32 bytes, and under a key of small order one signature can hold
 * for many messages.
 */
export function isUsableEd25519Point(bytes: Uint8Array): boolean {
  if (bytes.byteLength !== POINT_BYTES) return false;
  const encoded = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
  const y = encoded % SIGN_BIT;
  if (y >= P) return false;
  const yy = mod(y * y);
  // x² = (y² − 1) / (D·y² + 1). The quotient is a square exactly where the product is: they differ by a square.
  if (!isSquare(mod((yy - 1n) * (D * yy + 1n)))) return false;
  return !isOfSmallOrder(y, yy);
}

/**
 * The eight points of small order: y = ±1 has order 1 and 2 (x = 0: a sign on it is refused here as well), y = 0 has order
 * 4, and order 8 has what doubles to y = 0, so x² = −y², which in the curve's equation is D·y⁴ + 2·y² = 1.
 */
function isOfSmallOrder(y: bigint, yy: bigint): boolean {
  return y === 0n || yy === 1n || mod(D * yy * yy + 2n * yy) === 1n;
}
