import { setTimeout as delay } from 'node:timers/promises';
import { loadConfig } from '@v402/config';
import type { KafkaTopics, TopicFacts, TopicSpec } from '@v402/messaging';
import { Argument, Option, type Command } from 'commander';
import { EXIT_NO } from '../exit.js';
import { toJson } from '../json.js';
import { wholeNumberOption } from '../options.js';
import { table } from '../show/table.js';
import { topicProblems } from '../topics/topic-problems.js';

const ACTIONS = ['create', 'check'] as const;

interface TopicsOptions {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly json?: true;
}

const LOOK_EVERY_MS = 250;
const MOST_LOOKS = 40;

/** Leaves the choice to the broker. */
const BROKERS_OWN = -1;

const DETAILS = `
  create  creates the topics that are missing, then checks all. One that exists is left as it is.
  check   says what each topic is like, and what is wrong with it.

Reads V402_KAFKA_BROKERS, V402_KAFKA_TLS, V402_KAFKA_SASL, V402_KAFKA_USERNAME, V402_KAFKA_PASSWORD and V402_TOPIC_PREFIX.
The number of partitions of a topic must never change: the order of events depends on it.

Exit status: 0 all is well, 1 a topic is missing or set up wrongly, 2 wrong usage or Kafka is away.`;

export function addTopics(program: Command): void {
  program
    .command('topics')
    .summary('create or check the Kafka topics')
    .description('Creates or checks the Kafka topics of a deployment.')
    .addArgument(new Argument('<action>', 'what to do').choices(ACTIONS))
    .addOption(sizeOption('--partitions <n>', "the broker's num.partitions"))
    .addOption(sizeOption('--replication-factor <n>', "the broker's default.replication.factor"))
    .option('--json', 'print what was created and what each topic is like as JSON')
    .addHelpText('after', DETAILS)
    .action(topics);
}

function sizeOption(flags: string, otherwise: string): Option {
  return new Option(flags, 'of each new topic').argParser(wholeNumberOption(1)).default(BROKERS_OWN, otherwise);
}

async function topics(action: (typeof ACTIONS)[number], { json, ...size }: TopicsOptions): Promise<void> {
  const config = loadConfig(process.env, ['v402 topics']);
  const { KafkaTopics, topicSpecs } = await import('@v402/messaging');
  await import('reflect-metadata');
  const { kafkaConnection } = await import('@v402/roles');
  const { kafkaError } = await import('../topics/kafka-error.js');
  const connection = kafkaConnection({ ...config, V402_INSTANCE_ID: 'topics' });
  const specs = topicSpecs(config.V402_TOPIC_PREFIX, size);
  try {
    const kafka = new KafkaTopics(connection, () => undefined);
    const created = action === 'create' ? await kafka.create(specs) : [];
    if (json !== true) process.stdout.write(created.map((topic) => `created ${topic}\n`).join(''));
    const checked = action === 'create' ? await checkCreated(kafka, specs) : await check(kafka, specs);
    process.stdout.write(json === true ? toJson({ created, topics: checked }) : topicsText(checked));
    if (checked.some(({ problems }) => problems.length > 0)) process.exitCode = EXIT_NO;
  } catch (error) {
    throw kafkaError(error, connection.brokers);
  }
}

type CheckedTopic = TopicFacts & { readonly problems: readonly string[] };

/** Of several brokers one may not have heard yet of what was made a moment ago. */
async function checkCreated(kafka: KafkaTopics, specs: readonly TopicSpec[]): Promise<readonly CheckedTopic[]> {
  for (let looks = 1; ; looks += 1) {
    const isLast = looks === MOST_LOOKS;
    const checked = await check(kafka, specs).catch((error: unknown) => {
      if (isLast) throw error;
      return [];
    });
    if (isLast || (checked.length > 0 && checked.every(({ exists }) => exists))) return checked;
    await delay(LOOK_EVERY_MS);
  }
}

async function check(kafka: KafkaTopics, specs: readonly TopicSpec[]): Promise<readonly CheckedTopic[]> {
  const facts = await kafka.inspect(specs.map(({ topic }) => topic));
  return specs.flatMap((spec, index) => {
    const found = facts[index];
    return found === undefined ? [] : [{ ...found, problems: topicProblems(found, spec) }];
  });
}

function topicsText(topics: readonly CheckedTopic[]): string {
  return table(
    'Topics',
    ['topic', 'partitions', 'replicas', 'timestamps', 'max. bytes', 'problems'],
    topics.map((topic) => [...factsOf(topic), topic.problems.join('; ')]),
  );
}

function factsOf(facts: TopicFacts): readonly (string | number)[] {
  if (!facts.exists) return [facts.topic, '', '', '', ''];
  return [
    facts.topic,
    facts.partitions,
    facts.replicationFactor,
    facts.timestampType ?? '',
    facts.maxMessageBytes ?? '',
  ];
}
