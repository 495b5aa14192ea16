import type { FuzzTarget } from '../target.js';
import { arithmetic } from './arithmetic.target.js';
import { canonical } from './canonical.target.js';
import { cliSign, cliVerify } from './cli.target.js';
import { envelope } from './envelope.target.js';
import { eventEnvelope } from './event-envelope.target.js';
import { kafkaRecord } from './kafka-record.target.js';
import { paymentAccounts } from './payment-accounts.target.js';
import { printableText } from './printable.target.js';
import { privateKey } from './private-key.target.js';
import { registry } from './registry.target.js';
import { signatures } from './signatures.target.js';
import { signedMembers } from './signed-members.target.js';
import { strictJson } from './strict-json.target.js';
import { time } from './time.target.js';

/** Every door that untrusted bytes come through. */
export const TARGETS: readonly FuzzTarget[] = [
  strictJson,
  canonical,
  envelope,
  signedMembers,
  signatures,
  registry,
  kafkaRecord,
  paymentAccounts,
  cliVerify,
  cliSign,
  privateKey,
  eventEnvelope,
  arithmetic,
  time,
  printableText,
];
