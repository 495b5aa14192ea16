import { Module, type DynamicModule } from '@nestjs/common';
import {
  AcceptContractsHandler,
  Alarms,
  FaultPoint,
  Ids,
  UnitOfWork,
  Wake,
  type IntakePolicy,
} from '@v402/application';
import { SignatureVerifier } from '@v402/contract';
import type { RoleConfig } from '@v402/config';
import { KafkaBatchStrategy, KafkaTopics, topicName } from '@v402/messaging';
import type { Logger } from '@v402/observability';
import { TrustedSignatureVerifier, type TrustRegistry } from '@v402/signatures';
import { kafkaConnection, kafkaLog } from '../core/kafka.js';
import { eventNaming, processName } from '../core/naming.js';
import { CODE_VERSION } from '../core/version.js';
import { ContractsConsumer } from './contracts.consumer.js';
import { readTrustRegistry } from './trust.js';

type IntakeConfig = RoleConfig<'intake'>;
type IntakePolicyConfig = Pick<
  IntakeConfig,
  'V402_PARTIES' | 'V402_HANDLER_ID' | 'V402_REQUIRE_TRANSCRIPT' | 'V402_CONFLICT_POLICY'
>;

/** Intake: contracts topic → `ContractsConsumer` → `AcceptContractsHandler`. */
@Module({})
export class IntakeModule {
  static forRoot(config: IntakeConfig, log: Logger): DynamicModule {
    const registry = readTrustRegistry(config.V402_TRUST_REGISTRY);
    const policy = intakePolicy(config);
    warnOfStrangers(policy, registry, log);
    return {
      module: IntakeModule,
      controllers: [ContractsConsumer],
      providers: [
        {
          provide: SignatureVerifier,
          useValue: new TrustedSignatureVerifier(registry, config.V402_KEY_GRACE_SECONDS),
        },
        {
          provide: AcceptContractsHandler,
          inject: [UnitOfWork, SignatureVerifier, Ids, Wake, Alarms, FaultPoint],
          useFactory: (
            unitOfWork: UnitOfWork,
            verifier: SignatureVerifier,
            ids: Ids,
            wake: Wake,
            alarms: Alarms,
            faults: FaultPoint,
          ) => new AcceptContractsHandler(unitOfWork, verifier, policy, eventNaming(config), ids, wake, alarms, faults),
        },
      ],
    };
  }
}

/** The transport that feeds `ContractsConsumer`. */
export function contractsTransport(config: IntakeConfig, log: Logger): KafkaBatchStrategy {
  const connection = kafkaConnection(config);
  const strategy = new KafkaBatchStrategy({
    // A name that outlives the process: its successor takes over at once.
    connection: { ...connection, clientId: `${connection.clientId}-${processName(config)}` },
    log: kafkaLog(log),
    topicPrefix: config.V402_TOPIC_PREFIX,
    consumer: {
      groupId: `${config.V402_TOPIC_PREFIX}${config.V402_KAFKA_GROUP}`,
      sessionTimeoutMs: config.V402_KAFKA_SESSION_MS,
    },
  });
  strategy.on('status', ({ state }) => {
    if (state === 'consuming') void warnOfTopic(config, log);
  });
  return strategy;
}

/** Without the broker's time an outage of the database can make contracts expire that came in time. */
async function warnOfTopic(config: IntakeConfig, log: Logger): Promise<void> {
  const topic = topicName(config.V402_TOPIC_PREFIX, 'contracts');
  try {
    const [facts] = await new KafkaTopics(kafkaConnection(config), kafkaLog(log)).inspect([topic]);
    if (facts?.exists !== true || facts.timestampType !== 'CreateTime') return;
    log.error(
      { alarm: 'input_topic_create_time', topic },
      'The contracts topic keeps no log-append time, so the database says when a message arrived. Set message.timestamp.type=LogAppendTime.',
    );
  } catch (error) {
    log.debug({ err: error }, 'The settings of the contracts topic cannot be read.');
  }
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

/** A served party without a key in the registry is no reason not to start, but none of its contracts can be accepted. */
function warnOfStrangers({ servedParties }: IntakePolicy, registry: TrustRegistry, log: Logger): void {
  for (const party of servedParties ?? []) {
    if (registry.hasParty(party)) continue;
    log.warn(
      { code: 'served_party_not_in_registry', party },
      'V402_PARTIES names a party that the trust registry does not know: its contracts will be refused as unknown_party.',
    );
  }
}
