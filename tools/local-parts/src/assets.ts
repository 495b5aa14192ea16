import { fileURLToPath } from 'node:url';

/** Path of a file that is shipped as it stands. Source and built modules lie equally deep, so one relative path serves both. */
export function assetPath(name: string): string {
  return fileURLToPath(new URL(`../assets/${name}`, import.meta.url));
}
