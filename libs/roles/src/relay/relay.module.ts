import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { Alarms, EventPublisher, FaultPoint, PublishEventsHandler, UnitOfWork } from '@v402/application';
import type { RoleConfig } from '@v402/config';
import { KafkaEventProducer } from '@v402/messaging';
import { ObservedPublisher, type Logger } from '@v402/observability';
import { Loops } from '../core/loops.js';
import { kafkaConnection, kafkaLog } from '../core/kafka.js';
import { Operations } from '../core/operations.js';
import { RoleLoop } from '../core/role-loop.js';
import { LOG, OWNER } from '../core/tokens.js';
import { KafkaEventPublisher } from './kafka-event-publisher.js';

type RelayConfig = RoleConfig<'relay'>;

const BATCH_SIZE = 500;

/** Relay: outbox → `PublishEventsHandler` → Kafka. */
@Module({})
export class RelayModule implements OnApplicationShutdown {
  constructor(@Inject(KafkaEventProducer) private readonly producer: KafkaEventProducer) {}

  static forRoot(config: RelayConfig): DynamicModule {
    return {
      module: RelayModule,
      providers: [
        {
          provide: KafkaEventProducer,
          inject: [LOG],
          useFactory: (log: Logger) => new KafkaEventProducer(kafkaConnection(config), kafkaLog(log)),
        },
        {
          provide: EventPublisher,
          inject: [KafkaEventProducer, Operations],
          useFactory: (producer: KafkaEventProducer, { metrics }: Operations) =>
            new ObservedPublisher(new KafkaEventPublisher(producer), metrics),
        },
        {
          provide: PublishEventsHandler,
          inject: [UnitOfWork, EventPublisher, OWNER, Alarms, FaultPoint],
          useFactory: (
            unitOfWork: UnitOfWork,
            publisher: EventPublisher,
            owner: string,
            alarms: Alarms,
            faults: FaultPoint,
          ) => {
            const policy = { batchSize: BATCH_SIZE, leaseMs: config.V402_LEASE_MS };
            return new PublishEventsHandler(unitOfWork, publisher, policy, owner, alarms, faults);
          },
        },
        {
          provide: RoleLoop,
          inject: [PublishEventsHandler, Loops],
          useFactory: (handler: PublishEventsHandler, loops: Loops) => {
            const round = (): Promise<number> => handler.handle();
            return loops.of(
              { topic: 'relay', pollMs: config.V402_POLL_MS, round, onStop: () => handler.stop() },
              { roundLimitMs: config.V402_LEASE_MS },
            );
          },
        },
      ],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.producer.close();
  }
}
