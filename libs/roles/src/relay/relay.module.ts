import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { Alarms, EventPublisher, FaultPoint, PublishEventsHandler, UnitOfWork } from '@v402/application';
import type { RoleConfig } from '@v402/config';
import { KafkaEventProducer } from '@v402/messaging';
import type { Logger } from '@v402/observability';
import { InProcessWake } from '../core/in-process-wake.js';
import { kafkaConnection, kafkaLog } from '../core/kafka.js';
import { PollingLoop } from '../core/polling-loop.js';
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
          inject: [KafkaEventProducer],
          useFactory: (producer: KafkaEventProducer) => new KafkaEventPublisher(producer),
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
          inject: [PublishEventsHandler, InProcessWake, LOG],
          useFactory: (handler: PublishEventsHandler, wake: InProcessWake, log: Logger) =>
            new RoleLoop(
              new PollingLoop(
                {
                  topic: 'relay',
                  pollMs: config.V402_POLL_MS,
                  round: () => handler.handle(),
                  onStop: () => handler.stop(),
                },
                wake,
                log,
              ),
            ),
        },
      ],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.producer.close();
  }
}
