/** Sets the wall clock of this process wrong by so many milliseconds. Timers and the monotonic clock go on as they are. */
export function skewClock(skewMs: number): void {
  if (skewMs === 0) return;
  const RealDate = Date;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [RealDate.now() + skewMs] : args, newTarget) as Date,
    apply: () => new RealDate(RealDate.now() + skewMs).toString(),
    get: (target, name, receiver): unknown =>
      name === 'now' ? () => RealDate.now() + skewMs : Reflect.get(target, name, receiver),
  });
}
