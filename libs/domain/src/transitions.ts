import { TerminalError } from './errors.js';

/** Every state a thing can be in and, per state, which input leads where. What is not in the table cannot happen. */
export interface TransitionTable<State extends string, Input extends string> {
  readonly name: string;
  readonly initial: State;
  readonly transitions: Readonly<Record<State, Readonly<Partial<Record<Input, State>>>>>;
}

/** @throws TerminalError `illegal_transition` when the table has no such transition: a bug, never a matter of input */
export function transition<State extends string, Input extends string>(
  table: TransitionTable<State, Input>,
  from: State,
  input: Input,
): State {
  const to = table.transitions[from][input];
  if (to === undefined) {
    throw new TerminalError('illegal_transition', `${table.name}: no transition from ${from} by ${input}.`, {
      table: table.name,
      from,
      input,
    });
  }
  return to;
}

/** States that no sequence of inputs reaches from the initial one; empty for a sound table. */
export function unreachableStates<State extends string, Input extends string>(
  table: TransitionTable<State, Input>,
): State[] {
  const reached = new Set<State>([table.initial]);
  for (const state of reached) {
    for (const next of Object.values<State | undefined>(table.transitions[state])) {
      if (next !== undefined) reached.add(next);
    }
  }
  return (Object.keys(table.transitions) as State[]).filter((state) => !reached.has(state));
}
