// A process that handles five records, then hangs in the next five until it is killed. Run from the built libraries.
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { KafkaBatchHandler, KafkaBatchStrategy } from '@v402/messaging';

class Intake {
  async take({ messages }) {
    process.stdout.write(`handling ${messages[0].offset}..${messages.at(-1).offset}\n`);
    if (messages[0].offset > 0n) await new Promise(() => undefined);
  }
}
KafkaBatchHandler('contracts')(Intake.prototype, 'take', Object.getOwnPropertyDescriptor(Intake.prototype, 'take'));
Controller()(Intake);

class IntakeModule {}
Module({ controllers: [Intake] })(IntakeModule);

const { V402_TEST_KAFKA_BROKERS, TOPIC_PREFIX, GROUP, SESSION_MS = '2000' } = process.env;
const strategy = new KafkaBatchStrategy({
  connection: { brokers: V402_TEST_KAFKA_BROKERS.split(','), clientId: 'crash-child' },
  topicPrefix: TOPIC_PREFIX,
  consumer: {
    groupId: GROUP,
    sessionTimeoutMs: Number(SESSION_MS),
    heartbeatIntervalMs: 300,
    maxWaitMs: 50,
    chunk: { maxMessages: 5, maxBytes: 1_000 },
  },
  log: () => undefined,
});
const app = await NestFactory.createMicroservice(IntakeModule, { strategy, logger: false });
await app.listen();
