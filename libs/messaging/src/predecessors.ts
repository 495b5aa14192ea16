import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaLog } from './kafka-client.js';
import type { GroupConnection } from './kafkajs.js';

type Connection = Pick<GroupConnection, 'open' | 'close' | 'members' | 'leave'>;

const LOOK_EVERY_MS = 50;
/** Our own join is seen by the coordinator long before; then the dead leave without it. */
const LOOK_AT_MOST_MS = 2_000;

/**
 * Members that died without leaving the group: the broker keeps their partitions for them until their session ends. A
 * process that starts again under its name therefore lets its predecessor leave at once.
 *
 * A process does so once, when it starts: every member with its name is taken for dead then. If one is alive after all,
 * because two processes have the same name, it only joins again. Later on a process lets nobody leave but members that
 * it was itself, so that two of the same name never drive each other out in turn.
 */
export class Predecessors {
  readonly #own = new Set<string>();
  #isFirstLook = true;

  constructor(
    private readonly connectionTo: (groupId: string) => Connection,
    private readonly groupId: string,
    private readonly clientId: string,
    private readonly log: KafkaLog,
  ) {}

  /** We are this member now. */
  joined(memberId: string): void {
    this.#own.add(memberId);
  }

  /**
   * Finds the dead and joins; they leave while the join waits for them. Not before it: a group that loses its last member
   * begins anew, and a broker then waits some seconds for more members to come.
   *
   * @throws only what `join` throws: without our help the broker waits until the sessions of the dead end
   */
  async replace(join: () => Promise<void>): Promise<void> {
    if (!this.#isFirstLook && this.#own.size === 0) return join();
    // A connection of its own: the broker answers nothing else on one whose join waits.
    const connection = this.connectionTo(this.groupId);
    const dead = await this.#attempt(() => this.#find(connection));
    const looking = new AbortController();
    const leaving = dead && this.#attempt(() => this.#letLeave(connection, dead, looking.signal));
    try {
      await join();
    } catch (error) {
      looking.abort();
      throw error;
    } finally {
      await leaving;
      await connection.close().catch(() => undefined);
    }
  }

  async #find(connection: Connection): Promise<readonly string[]> {
    await connection.open();
    const named = await this.#membersOfOurName(connection);
    return this.#isFirstLook ? named : named.filter((memberId) => this.#own.has(memberId));
  }

  async #letLeave(connection: Connection, dead: readonly string[], signal: AbortSignal): Promise<void> {
    if (dead.length > 0) await this.#untilJoined(connection, dead, signal);
    // One whose session has just ended is not there any more; the others are none the worse for it.
    await Promise.allSettled(dead.map((memberId) => connection.leave(memberId)));
    this.#isFirstLook = false;
    for (const memberId of dead) this.#own.delete(memberId);
    if (dead.length === 0) return;
    const message = 'What died under the name of this process has left the consumer group.';
    this.log('debug', message, { group: this.groupId, members: dead.length });
  }

  async #untilJoined(connection: Connection, dead: readonly string[], signal: AbortSignal): Promise<void> {
    for (let waitedMs = 0; waitedMs < LOOK_AT_MOST_MS; waitedMs += LOOK_EVERY_MS) {
      const members = await this.#membersOfOurName(connection);
      if (members.some((memberId) => !dead.includes(memberId))) break;
      await delay(LOOK_EVERY_MS, undefined, { signal });
    }
  }

  async #membersOfOurName(connection: Connection): Promise<readonly string[]> {
    const members = await connection.members();
    return members.filter(({ clientId }) => clientId === this.clientId).map(({ memberId }) => memberId);
  }

  async #attempt<T>(step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      const message = 'Members that died cannot be made to leave the consumer group; their sessions end by themselves.';
      this.log('debug', message, { group: this.groupId, error });
      return undefined;
    }
  }
}
