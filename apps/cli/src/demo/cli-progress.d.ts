/** The part of cli-progress that is used; it ships without types. */
declare module 'cli-progress' {
  export interface SingleBar {
    update(value: number): void;
  }

  export class MultiBar {
    constructor(options: {
      readonly format: string;
      readonly stream: NodeJS.WriteStream;
      readonly hideCursor: boolean;
    });
    create(total: number, startValue: number, payload: Readonly<Record<string, string>>): SingleBar;
    stop(): void;
  }
}
