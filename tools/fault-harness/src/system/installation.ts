import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalParts } from '@v402/local-parts';
import { LocalSystem } from '@v402/local-system';
import { KafkaGroup, topicName } from '@v402/messaging';
import type { SimulatedTrade } from '@v402/simulators';
import pg from 'pg';
import { BACKSTOPS, type Guard } from '../controls/guards.js';
import { POISON } from '../stories/make-stories.js';
import { UNDECIDED } from './acted-on.js';

const PARTITIONS = 6;
const GROUP = 'v402-intake';
const SILENT = (): undefined => undefined;
const RETRY_MS = 100;
/** A minute: a server that was stopped is back before. */
const RETRIES = 600;
/** How long is waited for what the agents send, or a process does, and what may not come. */
const PATIENCE_MS = 5_000;
const START_PATIENCE_MS = 60_000;

/** How far back offsets are moved: to take everything again would be most of the work of a long run. */
const BACK = 300n;
/** What waits is skipped. */
const skipping = (end: bigint): bigint => end;
/** Where offsets are moved to, one after the other. Intake that goes by the last two alone takes much of the topic again. */
const PLACES = [skipping, (end: bigint) => end + 1_000_000n, (end: bigint) => (end > BACK ? end - BACK : 0n)] as const;

/**
 * Writes meet a disk that is full while the switch is on, some of them at the commit only; a poisoned deal is a value that the database never takes. The
 * triggers are there from the beginning, since creating one waits for every open transaction.
 */
const SWITCHES = `
  CREATE TABLE public.fault_switch (disk_full boolean NOT NULL);
  INSERT INTO public.fault_switch VALUES (false);
  CREATE FUNCTION public.meet_full_disk() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
  BEGIN
    IF (SELECT disk_full FROM public.fault_switch) THEN
      RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER fault_disk BEFORE INSERT ON v402.event FOR EACH STATEMENT EXECUTE FUNCTION public.meet_full_disk();
  CREATE TRIGGER fault_disk BEFORE INSERT ON v402.decision FOR EACH STATEMENT EXECUTE FUNCTION public.meet_full_disk();
  CREATE TRIGGER fault_disk BEFORE UPDATE ON v402.order_placement FOR EACH STATEMENT EXECUTE FUNCTION public.meet_full_disk();
  CREATE TRIGGER fault_disk BEFORE DELETE ON v402.outbox FOR EACH STATEMENT EXECUTE FUNCTION public.meet_full_disk();
  CREATE CONSTRAINT TRIGGER fault_disk_at_commit AFTER INSERT OR UPDATE ON v402.input_offset
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.meet_full_disk();
  CREATE CONSTRAINT TRIGGER fault_disk_at_commit AFTER UPDATE ON v402.settlement
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.meet_full_disk();
  CREATE CONSTRAINT TRIGGER fault_disk_at_commit AFTER INSERT ON v402.audit_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.meet_full_disk();
  CREATE FUNCTION public.meet_poison() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    RAISE EXCEPTION 'poisoned' USING ERRCODE = 'data_exception';
  END $$;
  CREATE TRIGGER fault_poison BEFORE INSERT ON v402.deal FOR EACH ROW
    WHEN (NEW.negotiation_id LIKE '${POISON}-%') EXECUTE FUNCTION public.meet_poison();
`;

/** Nothing is due, claimed or unpublished; what a hold stops may be due for ever. */
const QUIET = `
  SELECT NOT EXISTS (SELECT FROM v402.outbox)
     AND NOT EXISTS (
       SELECT FROM v402.work w JOIN v402.settlement s USING (contract_id)
        WHERE (w.due_at <= clock_timestamp() + interval '12 hours' OR w.lease_until IS NOT NULL)
          AND s.current
          AND NOT EXISTS (SELECT FROM v402.hold h WHERE h.deal_key = s.deal_key AND h.released_at IS NULL)
          AND NOT EXISTS (SELECT FROM v402.payment_leg l
                           WHERE w.kind = 'payment_leg' AND l.contract_id = w.contract_id AND l.side = w.side
                             AND l.leg_id = w.subject_id AND l.state = 'blocked'))
     AND NOT EXISTS (SELECT FROM v402.order_placement WHERE state IN ('placing', 'unknown')) AS quiet`;

const PROGRESS = `
  SELECT concat_ws(' ', (SELECT count(*) FROM v402.decision), (SELECT count(*) FROM v402.event), (SELECT count(*) FROM v402.outbox),
                   (SELECT count(*) FROM v402.work), (SELECT sum(attempt + unknowns) FROM v402.order_placement)) AS progress`;

export interface PrepareOptions {
  /** Each message is delivered once: offsets are moved ahead only, since going back delivers again what was skipped. */
  readonly once?: boolean | undefined;
  /** What of the database's own backstops goes with this guard goes, too. */
  readonly without?: Guard | undefined;
}

/** Database, topics and files of one run, and what can be done to them. */
export class Installation {
  readonly #group: KafkaGroup;
  #moves = 0;

  private constructor(
    readonly system: LocalSystem,
    private readonly parts: LocalParts,
    private readonly places: readonly ((end: bigint) => bigint)[],
  ) {
    this.#group = new KafkaGroup(system.connection, SILENT, `${system.prefix}${GROUP}`);
  }

  static async prepare(
    parts: LocalParts,
    trade: Pick<SimulatedTrade, 'handling' | 'trustRegistry' | 'paymentAccounts'>,
    folder: string,
    { once = false, without }: PrepareOptions,
  ): Promise<Installation> {
    const system = await LocalSystem.prepare({ parts, trade, folder, partitions: PARTITIONS });
    const installation = new Installation(system, parts, once ? [skipping] : PLACES);
    const backstop = without === undefined ? undefined : BACKSTOPS[without];
    await installation.sql(`${SWITCHES}${backstop === undefined ? '' : `${backstop};`}`);
    return installation;
  }

  /** Runs SQL as a user who may do everything; again until the database is there. */
  async sql<Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    for (let left = RETRIES; ; left -= 1) {
      const client = new pg.Client({
        connectionString: this.system.adminDatabaseUrl,
        application_name: 'faults',
        // Ours can write whatever it has told the database.
        options: '-c default_transaction_read_only=off',
      });
      // The server may go away between two of our calls.
      client.on('error', SILENT);
      try {
        await client.connect();
        return (await client.query(text, [...values])).rows as Row[];
      } catch (error) {
        if (left === 0 || !isAway(error)) throw error;
        await sleep(RETRY_MS);
      } finally {
        await client.end().catch(SILENT);
      }
    }
  }

  /**
   * A login of their own for each operator: the database lets nobody approve what the same login has asked for.
   * @returns their database URLs, by the names of their processes
   */
  async makeOperators(count: number): Promise<ReadonlyMap<string, string>> {
    const urls = new Map<string, string>();
    for (let number = 1; number <= count; number += 1) {
      const url = new URL(this.system.urls.operatorUrl);
      [url.username, url.password] = [`v402_faults_operator_${number}`, randomUUID()];
      await this.sql(`
        DO $$ BEGIN
          CREATE ROLE ${url.username} IN ROLE v402_operator;
        EXCEPTION WHEN duplicate_object THEN NULL;
        END $$;
        ALTER ROLE ${url.username} LOGIN PASSWORD '${url.password}'`);
      urls.set(`operator-${number}`, url.href);
    }
    return urls;
  }

  async cutConnections(): Promise<void> {
    await this.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'faults'`,
    );
  }

  /** Of connections that begin from now on. */
  async setReadOnly(isReadOnly: boolean): Promise<void> {
    await this.sql(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = ${isReadOnly ? 'on' : 'off'}', current_database()); END $$`,
    );
  }

  async setDiskFull(isFull: boolean): Promise<void> {
    await this.sql(`UPDATE public.fault_switch SET disk_full = ${String(isFull)}`);
  }

  /**
   * Resolves when the offsets of all partitions are moved. All members of the group must have ended; the broker may take the
   * session of one that was killed to notice.
   */
  async moveOffsets(): Promise<void> {
    const placeBy = this.places[this.#moves % this.places.length] ?? skipping;
    this.#moves += 1;
    for (let left = RETRIES; ; left -= 1) {
      try {
        await this.#group.moveTo(this.#contracts, placeBy);
        return;
      } catch (error) {
        if (left === 0) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  /** Until the first message is decided: what strikes before would meet processes that only start. */
  async untilDecided(): Promise<void> {
    await this.#until(async () => (await this.sql('SELECT FROM v402.decision LIMIT 1')).length > 0, START_PATIENCE_MS);
  }

  /** Until a process of this name is in the group, or begins to be; not for ever: a busy machine may be slow to start it. */
  async untilMember(name: string): Promise<void> {
    await this.#until(async () => (await this.#group.members()).some((clientId) => clientId.endsWith(name)));
  }

  /** Until more messages wait than now, if any come: what waits now may be decided already, and only not be committed. */
  async untilMoreMessagesWait(): Promise<void> {
    const before = await this.lag();
    await this.#until(async () => (await this.lag()) > before);
  }

  async #until(holds: () => Promise<boolean>, patienceMs = PATIENCE_MS): Promise<void> {
    const endMs = performance.now() + patienceMs;
    while (performance.now() < endMs && !(await holds().catch(() => false))) await sleep(RETRY_MS);
  }

  /** Whether everything that was sent has been taken, and everything that was to be done is done or waits for a person. */
  async isIdle(): Promise<boolean> {
    return (await this.isQuiet()) && (await this.sql(UNDECIDED)).length === 0;
  }

  /** The same, but for cases that operators have still to decide. */
  async isQuiet(): Promise<boolean> {
    const [row] = await this.sql<{ quiet: boolean }>(QUIET);
    return row?.quiet === true && (await this.#group.lag(this.#contracts)) === 0n;
  }

  /** What has come to pass so far, in figures that change whenever something does. */
  async progress(): Promise<string> {
    const [row] = await this.sql<{ progress: string }>(PROGRESS);
    return row?.progress ?? '';
  }

  async lag(): Promise<bigint> {
    return this.#group.lag(this.#contracts);
  }

  async remove(): Promise<void> {
    await this.system.remove();
  }

  get #contracts(): string {
    return topicName(this.system.prefix, 'contracts');
  }
}

/** SQLSTATE classes of connections and of a server that starts or stops, and the operating system's errors. */
function isAway(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code === '' || /^(08|53|57|E[A-Z]+$)/.test(code);
}
