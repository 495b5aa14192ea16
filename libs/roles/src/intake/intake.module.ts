import { Module, type DynamicModule } from '@nestjs/common';
import {
  AcceptContractsHandler,
  Alarms,
  FaultPoint,
  Ids,
  UnitOfWork,
  Wake,
  WatchInputHandler,
  type IntakePolicy,
} from '@v402/application';
import type { SignatureVerifier } from '@v402/contract';
import type { RoleConfig } from '@v402/config';
import { KafkaBatchStrategy, KafkaInputLog } from '@v402/messaging';
import type { Logger } from '@v402/observability';
import { kafkaConnection, kafkaLog } from '../core/kafka.js';
import { Loops } from '../core/loops.js';
import { eventNaming, processName } from '../core/naming.js';
import { Operations } from '../core/operations.js';
import { RoleLoop } from '../core/role-loop.js';
import { LOG, OWNER } from '../core/tokens.js';
import { CODE_VERSION } from '../core/version.js';
import { BacklogGate } from './backlog-gate.js';
import { ConsumerLife } from './consumer-life.js';
import { ContractsConsumer } from './contracts.consumer.js';
import { IntakeFlow } from './intake-flow.js';
import { InputWatch } from './input-watch.js';
import { intakeTrouble } from './intake-trouble.js';
import { checkTopicSettings } from './topic-settings.js';
import { TrustInUse } from './trust.js';

type IntakeConfig = RoleConfig<'intake'>;
type IntakePolicyConfig = Pick<
  IntakeConfig,
  'V402_PARTIES' | 'V402_HANDLER_ID' | 'V402_REQUIRE_TRANSCRIPT' | 'V402_CONFLICT_POLICY'
>;

/** How often intake looks how much waits behind it. */
const BACKLOG_POLL_MS = 1_000;

/** How often intake looks whether its input is in order, beside each assignment of partitions. */
const INPUT_POLL_MS = 30_000;
const INPUT_LOOP = Symbol('input loop');

/** Intake: contracts topic → `ContractsConsumer` → `AcceptContractsHandler`. */
@Module({})
export class IntakeModule {
  static forRoot(config: IntakeConfig, log: Logger, strategy: KafkaBatchStrategy): DynamicModule {
    const policy = intakePolicy(config);
    return {
      module: IntakeModule,
      controllers: [ContractsConsumer],
      providers: [
        {
          provide: BacklogGate,
          inject: [UnitOfWork, Alarms, LOG],
          useFactory: (unitOfWork: UnitOfWork, alarms: Alarms, log: Logger) =>
            new BacklogGate(config.V402_BACKLOG_LIMIT, unitOfWork, alarms, log),
        },
        {
          provide: IntakeFlow,
          inject: [Operations, BacklogGate],
          useFactory: ({ metrics }: Operations, gate: BacklogGate) => new IntakeFlow(metrics, gate),
        },
        {
          provide: ConsumerLife,
          inject: [Operations, BacklogGate, Alarms, LOG],
          useFactory: (operations: Operations, gate: BacklogGate, alarms: Alarms, log: Logger) => {
            observeConsumer(strategy, operations, gate);
            strategy.on('status', ({ state }) => {
              if (state === 'consuming') void checkTopicSettings(config, alarms, log);
            });
            return new ConsumerLife(strategy, gate);
          },
        },
        {
          provide: RoleLoop,
          inject: [BacklogGate, Loops],
          useFactory: (gate: BacklogGate, loops: Loops) => {
            const round = (): Promise<number> => gate.look();
            return loops.of({ topic: 'backlog', pollMs: BACKLOG_POLL_MS, round }, { roundLimitMs: 0 });
          },
        },
        {
          provide: InputWatch,
          inject: [UnitOfWork, Alarms, OWNER],
          useFactory: (unitOfWork: UnitOfWork, alarms: Alarms, owner: string) => {
            const topicLog = new KafkaInputLog(kafkaConnection(config), kafkaLog(log), groupId(config));
            return new InputWatch(new WatchInputHandler(unitOfWork, topicLog, alarms, owner), strategy);
          },
        },
        {
          provide: INPUT_LOOP,
          inject: [InputWatch, TrustInUse, Loops],
          useFactory: (watch: InputWatch, trust: TrustInUse, loops: Loops) => {
            const round = (): Promise<number> => {
              trust.verifier();
              return watch.look();
            };
            return loops.of({ topic: 'input', pollMs: INPUT_POLL_MS, round }, { roundLimitMs: 0 });
          },
        },
        {
          provide: TrustInUse,
          inject: [Alarms, LOG],
          useFactory: (alarms: Alarms, log: Logger) => {
            const { V402_TRUST_REGISTRY: file, V402_KEY_GRACE_SECONDS: graceSeconds } = config;
            return new TrustInUse({ file, graceSeconds, policy }, alarms, log);
          },
        },
        {
          provide: AcceptContractsHandler,
          inject: [UnitOfWork, TrustInUse, Ids, Wake, Alarms, FaultPoint],
          useFactory: (
            unitOfWork: UnitOfWork,
            trust: TrustInUse,
            ids: Ids,
            wake: Wake,
            alarms: Alarms,
            faults: FaultPoint,
          ) => {
            const inUse = (): SignatureVerifier => trust.verifier();
            return new AcceptContractsHandler(
              unitOfWork,
              inUse,
              policy,
              eventNaming(config),
              ids,
              wake,
              alarms,
              faults,
            );
          },
        },
      ],
    };
  }
}

/** Ties the consumer to the gate, to readiness and to the metrics. */
function observeConsumer(strategy: KafkaBatchStrategy, operations: Operations, gate: BacklogGate): void {
  const { health, metrics, unreadyAfterMs } = operations;
  strategy.admitWhile(() => gate.isOpen());
  health.add('intake', () => intakeTrouble(strategy.progress(), unreadyAfterMs));
  metrics.onCollect(() => {
    metrics.set('v402_intake_paused', {}, gate.isOpen() ? 0 : 1);
    metrics.forget('v402_intake_lag_records');
    for (const { topic, partition, lag } of strategy.progress()?.assigned ?? []) {
      if (lag !== null) metrics.set('v402_intake_lag_records', { topic, partition: String(partition) }, Number(lag));
    }
  });
}

const groupId = (config: IntakeConfig): string => `${config.V402_TOPIC_PREFIX}${config.V402_KAFKA_GROUP}`;

/** The transport that feeds `ContractsConsumer`. */
export function contractsTransport(config: IntakeConfig, log: Logger): KafkaBatchStrategy {
  const connection = kafkaConnection(config);
  return new KafkaBatchStrategy({
    // A name that outlives the process: its successor takes over at once.
    connection: { ...connection, clientId: `${connection.clientId}-${processName(config)}` },
    log: kafkaLog(log),
    topicPrefix: config.V402_TOPIC_PREFIX,
    consumer: {
      groupId: groupId(config),
      sessionTimeoutMs: config.V402_KAFKA_SESSION_MS,
    },
  });
}

export function intakePolicy(config: IntakePolicyConfig): IntakePolicy {
  const parties = config.V402_PARTIES;
  return {
    handlerId: config.V402_HANDLER_ID ?? null,
    servedParties: parties.includes('*') ? null : parties,
    requireTranscript: config.V402_REQUIRE_TRANSCRIPT,
    conflict: config.V402_CONFLICT_POLICY,
    codeVersion: CODE_VERSION,
  };
}
