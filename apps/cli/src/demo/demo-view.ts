import { styleText } from 'node:util';
import { MultiBar, type SingleBar } from 'cli-progress';

/** How far something is. */
export interface Progress {
  readonly name: string;
  readonly done: number;
  readonly of: number;
}

const NAME_WIDTH = 12;
const PLAIN_EVERY_MS = 2_000;

/** What a person sees while the demonstration runs: bars on a terminal, now and then a line elsewhere. */
export class DemoView {
  readonly #startedAt = performance.now();
  #bars: { readonly all: MultiBar; readonly byName: ReadonlyMap<string, SingleBar> } | undefined;
  #plainAt = 0;
  #last: readonly Progress[] = [];

  constructor(private readonly stream: NodeJS.WriteStream) {}

  /** A step of the demonstration, with the seconds since its start. */
  say(line: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1).padStart(5);
    this.write(`${styleText('dim', `${seconds}s`)}  ${line}\n`);
  }

  write(text: string): void {
    this.stream.write(text);
  }

  show(progress: readonly Progress[]): void {
    this.#last = progress;
    if (this.stream.isTTY) this.#draw(progress);
    else if (performance.now() - this.#plainAt > PLAIN_EVERY_MS) this.#sayLast();
  }

  /** Leaves the last state on the screen. */
  endProgress(): void {
    if (this.#bars === undefined && this.#last.length > 0) this.#sayLast();
    this.#last = [];
    this.#bars?.all.stop();
    this.#bars = undefined;
  }

  #sayLast(): void {
    this.#plainAt = performance.now();
    this.say(this.#last.map(({ name, done, of }) => `${name} ${done}/${of}`).join(', '));
  }

  #draw(progress: readonly Progress[]): void {
    this.#bars ??= this.#open(progress);
    for (const { name, done } of progress) this.#bars.byName.get(name)?.update(done);
  }

  #open(progress: readonly Progress[]): { all: MultiBar; byName: ReadonlyMap<string, SingleBar> } {
    const format = `        {name} ${styleText('cyan', '{bar}')} {value}/{total}`;
    const all = new MultiBar({ format, stream: this.stream, hideCursor: true });
    const byName = new Map(
      progress.map(({ name, of }) => [name, all.create(of, 0, { name: name.padEnd(NAME_WIDTH) })]),
    );
    return { all, byName };
  }
}
