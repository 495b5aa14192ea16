import type { SuiteName } from '@v402/contract';
import { eip712Suite } from './eip712/eip712.suite.js';
import { jwsSuite } from './jws/jws.suite.js';
import type { SignatureSuite } from './signature-suite.js';

/** Every suite there is. The type asks for one per name that a contract may carry. */
export const suites: Readonly<Record<SuiteName, SignatureSuite>> = {
  eip712: eip712Suite,
  jws: jwsSuite,
};
