import type { WatchInputHandler } from '@v402/application';
import type { KafkaBatchStrategy } from '@v402/messaging';

/** Looks at the input of this process: at each assignment, before anything is taken, and regularly afterwards. */
export class InputWatch {
  constructor(
    private readonly handler: WatchInputHandler,
    private readonly strategy: Pick<KafkaBatchStrategy, 'placeBy' | 'placeAnew' | 'progress'>,
  ) {
    strategy.placeBy(async ({ topic, partitions }) => (await handler.look(topic, partitions)).begins);
  }

  /** One round. What it finds changes where intake has to go on. @returns 0: there is never more to do at once */
  async look(): Promise<number> {
    const { state, assigned = [] } = this.strategy.progress() ?? {};
    // Out of its group it has nothing to look at, and looks when it joins.
    if (state !== 'consuming') return 0;
    for (const topic of new Set(assigned.map((each) => each.topic))) {
      const partitions = assigned.filter((each) => each.topic === topic).map(({ partition }) => partition);
      const { losses } = await this.handler.look(topic, partitions);
      if (losses.length > 0) this.strategy.placeAnew();
    }
    return 0;
  }
}
