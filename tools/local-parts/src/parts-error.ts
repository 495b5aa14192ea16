/** Why a local part could not be found, started or stopped. Stable: tests and the command line decide by it. */
export type PartsErrorCode =
  | 'java_missing'
  | 'java_too_old'
  | 'maven_missing'
  | 'maven_too_old'
  | 'kafka_not_fetched'
  | 'postgres_binaries_missing'
  | 'unprivileged_user_missing'
  | 'folder_unreachable'
  | 'address_unreachable'
  | 'port_taken'
  | 'part_not_started'
  | 'part_not_ours'
  | 'part_failed'
  | 'parts_already_kept'
  | 'parts_not_kept'
  | 'watchdog_lost';

/** Says what is wrong and what to do about it; trying again without doing it does not help. */
export class PartsError extends Error {
  override readonly name = 'PartsError';

  constructor(
    readonly code: PartsErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
