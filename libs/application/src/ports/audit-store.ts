import type { ContractId, Micros } from '@v402/domain';

/** What an operator did. All members are texts, so that the entry has one canonical form. */
export interface AuditEntry {
  /** From 1, without gaps. */
  readonly sequence: bigint;
  readonly at: Micros;
  /** Who acted, as they say. */
  readonly actor: string;
  /** The database's login, as the database says. */
  readonly login: string;
  readonly action: AuditAction;
  /** The case: a UUID. */
  readonly subject: string;
  readonly contractId: ContractId | undefined;
  readonly reason: string;
  readonly details: Readonly<Record<string, string>>;
  /** Hex digest of the entry before; 64 zeros for the first. */
  readonly previous: string;
  /** Hex SHA-256 over the RFC 8785 form of all the other members. */
  readonly digest: string;
}

export type AuditAction = 'request_release' | 'approve_release' | 'release' | 'reject' | 'redrive';

/** Where the chain ends, and what the next entry needs to know. */
export interface AuditHead {
  /** 0 for an empty chain. */
  readonly sequence: bigint;
  readonly digest: string;
  readonly login: string;
}

export interface AuditStore {
  /** Who is logged in to the database, as it says. */
  login(): Promise<string>;
  /** Locks the chain until the transaction ends: entries are appended one after the other. The last lock to be taken. */
  lockHead(): Promise<AuditHead>;
  insert(entry: AuditEntry): Promise<void>;
  /** Entries after this sequence, in order. */
  after(sequence: bigint, limit: number): Promise<readonly AuditEntry[]>;
  /** Entries about this contract, be it the one or the other of an action on two, or about this case; in order. */
  about(about: { readonly contractId?: ContractId; readonly subject?: string }): Promise<readonly AuditEntry[]>;
}
