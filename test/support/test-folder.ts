import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of one test file's own. */
export class TestFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'v402-test-'));

  /** Writes a file there, for its owner only unless told. @returns its path */
  file(name: string, content: string | Uint8Array, mode = 0o600): string {
    const file = join(this.path, name);
    writeFileSync(file, content);
    chmodSync(file, mode);
    return file;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
