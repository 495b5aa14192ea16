import { statSync } from 'node:fs';
import { codeOf } from '@v402/domain';

/** So long after a file could not be read it is tried again, changed or not: what kept it from being read may be over. */
const RETRY_MS = 5_000;

interface WatchedFileEvents<T> {
  readonly onFault: (error: unknown) => void;
  readonly onChange?: (content: T) => void;
}

/**
 * What a file of the operator's says, read again once the file has changed. One that went bad is told of once per
 * change, and what the last good one said counts until it is corrected.
 */
export class WatchedFile<T> {
  #content: T;
  #state: string;
  #fault: { readonly code: string; readonly atMs: number } | undefined;

  /**
   * @param read throws for a file that cannot be used
   * @throws what `read` does: without a first good file nothing counts
   */
  constructor(
    private readonly file: string,
    private readonly read: (file: string) => T,
    private readonly on: WatchedFileEvents<T>,
    private readonly retryMs = RETRY_MS,
  ) {
    this.#state = stateOf(file);
    this.#content = read(file);
  }

  get content(): T {
    const state = stateOf(this.file);
    const isChanged = state !== this.#state;
    const fault = this.#fault;
    if (!isChanged && (fault === undefined || performance.now() - fault.atMs < this.retryMs)) return this.#content;
    // Before it is read: what is written meanwhile makes another state, and is read the next time.
    this.#state = state;
    try {
      this.#content = this.read(this.file);
    } catch (error) {
      const code = codeOf(error);
      this.#fault = { code, atMs: performance.now() };
      if (isChanged || code !== fault?.code) this.on.onFault(error);
      return this.#content;
    }
    this.#fault = undefined;
    this.on.onChange?.(this.#content);
    return this.#content;
  }
}

/**
 * More than its time: the clock of a file system may not tell two moments apart, and a copy may keep the time of another.
 * Empty where the file cannot be looked at: reading it then says why.
 */
function stateOf(file: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(file);
    return [ino, size, mtimeMs, ctimeMs].join();
  } catch {
    return '';
  }
}
