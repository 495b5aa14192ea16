import type { RoleConfig } from '@v402/config';
import type { KafkaConnection, KafkaLog } from '@v402/messaging';
import type { Logger } from '@v402/observability';

type KafkaConfig = Pick<
  RoleConfig<'relay'>,
  | 'V402_INSTANCE_ID'
  | 'V402_KAFKA_BROKERS'
  | 'V402_KAFKA_TLS'
  | 'V402_KAFKA_SASL'
  | 'V402_KAFKA_USERNAME'
  | 'V402_KAFKA_PASSWORD'
>;

export function kafkaConnection(config: KafkaConfig): KafkaConnection {
  const { V402_KAFKA_SASL: mechanism, V402_KAFKA_USERNAME: username, V402_KAFKA_PASSWORD: password } = config;
  const sasl =
    mechanism === undefined || username === undefined || password === undefined
      ? undefined
      : { mechanism, username, password };
  return {
    brokers: config.V402_KAFKA_BROKERS,
    clientId: `v402-${config.V402_INSTANCE_ID}`,
    ...(config.V402_KAFKA_TLS && { ssl: true }),
    ...(sasl !== undefined && { sasl: sasl as NonNullable<KafkaConnection['sasl']> }),
  };
}

export const kafkaLog =
  (log: Logger): KafkaLog =>
  (level, message, context) => {
    log[level](context, message);
  };
