/** A text that nobody but its owner may read, by a name that a report may show. */
export type Secrets = Readonly<Record<string, string>>;

/**
 * Where secrets stand in a text, in any of the forms in which logs carry them: plain, percent-encoded, as JSON, in base64
 * (also where it begins within a group of three bytes) or in hex.
 *
 * @returns `<name>: <form>`, each once; never the secret
 */
export function findSecrets(text: string, secrets: Secrets): readonly string[] {
  const compact = text.toLowerCase();
  return Object.entries(secrets).flatMap(([name, secret]) =>
    Object.entries(formsOf(secret)).flatMap(([form, written]) =>
      written.some((one) => text.includes(one) || (form === 'hex' && compact.includes(one)))
        ? [`${name}: ${form}`]
        : [],
    ),
  );
}

function formsOf(secret: string): Readonly<Record<string, readonly string[]>> {
  const json = JSON.stringify(secret).slice(1, -1);
  return {
    plain: [secret],
    'percent-encoded': [encodeURIComponent(secret), encodeURI(secret)],
    JSON: [json, JSON.stringify(json).slice(1, -1)],
    base64: [0, 1, 2].flatMap((shift) => [
      base64Within(secret, shift, 'base64'),
      base64Within(secret, shift, 'base64url'),
    ]),
    hex: [Buffer.from(secret, 'utf8').toString('hex')],
  };
}

/** The characters of a base64 text that the secret alone decides, when so many bytes stand before it in its group. */
function base64Within(secret: string, shift: number, encoding: 'base64' | 'base64url'): string {
  const bytes = Buffer.from(secret, 'utf8');
  const start = (3 - shift) % 3;
  const whole = bytes.length - start - ((bytes.length - start) % 3);
  return bytes.subarray(start, start + whole).toString(encoding);
}
