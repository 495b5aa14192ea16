import type { EventNaming } from '../events/settlement-stream.js';
import type { Ids } from '../ports/seams.js';
import type { IntakePolicy } from './policy.js';

export interface IntakeContext {
  readonly naming: EventNaming;
  readonly policy: IntakePolicy;
  readonly ids: Ids;
}
