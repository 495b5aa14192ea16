import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { topicName, type TopicKey } from '@v402/messaging';
import kafkajs, { type AclEntry } from 'kafkajs';
import { until } from './until.js';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } = kafkajs;

type Operation = keyof typeof AclOperationTypes;
type Resource = Pick<AclEntry, 'resourceType' | 'resourceName' | 'resourcePatternType'>;

/** What a principal of the documentation may do. */
export interface Permission {
  readonly operations: readonly Operation[];
  readonly resources: readonly Resource[];
}

const OUTPUTS: readonly TopicKey[] = ['events', 'payments', 'deliveries', 'rejections'];
/** Groups of the readers of the tests, which are connectors as far as Kafka is concerned. */
const CONNECTOR_GROUPS = 'v402-reader-';

/**
 * The table of docs/threat-model.md, by principal: the tests grant what stands there, and nothing else.
 * @param prefix of the topics and of the group
 */
export function documentedPermissions(prefix: string): ReadonlyMap<string, readonly Permission[]> {
  const page = readFileSync(join(import.meta.dirname, '../../docs/threat-model.md'), 'utf8');
  const section = page.split('## Kafka ACLs\n')[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').flatMap((line) => (/^\| (?!principal|--)/.test(line) ? [cellsOf(line)] : []));
  return new Map(
    rows.map(([principal = '', ...cells]) => [principal, cells.flatMap((cell) => permissionOf(cell, prefix))]),
  );
}

const cellsOf = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

function permissionOf(cell: string, prefix: string): readonly Permission[] {
  if (cell === '' || /^(none: |as workflows$)/.test(cell)) return [];
  const [, operations = '', what = ''] = /^([A-Z_, ]+) on (.+)$/.exec(cell) ?? [];
  const resources = resourcesOf(prefix)[what];
  if (resources === undefined) throw new Error(`Nobody knows how to grant “${cell}”.`);
  return [{ operations: operations.split(', ') as Operation[], resources }];
}

/** By how the documentation calls them. */
function resourcesOf(prefix: string): Readonly<Record<string, readonly Resource[]>> {
  const topics = (keys: readonly TopicKey[]): readonly Resource[] =>
    keys.map((key) => named(AclResourceTypes.TOPIC, topicName(prefix, key)));
  const contracts = '`P`v402.settlement.contracts.v1';
  return {
    [contracts]: topics(['contracts']),
    'the four output topics': topics(OUTPUTS),
    'the output topics that they consume': topics(OUTPUTS),
    [`${contracts} and the four output topics`]: topics(['contracts', ...OUTPUTS]),
    '`P`v402.*': [beginningWith(AclResourceTypes.TOPIC, `${prefix}v402.`)],
    'group `P`+`V402_KAFKA_GROUP`': [named(AclResourceTypes.GROUP, `${prefix}v402-intake`)],
    'groups that begin with `v402-log-`': [beginningWith(AclResourceTypes.GROUP, 'v402-log-')],
    'their own group': [beginningWith(AclResourceTypes.GROUP, CONNECTOR_GROUPS)],
    // Every broker that the tests start is newer.
    'the cluster, before Kafka 2.8 only': [],
  };
}

const named = (resourceType: AclEntry['resourceType'], resourceName: string): Resource => ({
  resourceType,
  resourceName,
  resourcePatternType: ResourcePatternTypes.LITERAL,
});

const beginningWith = (resourceType: AclEntry['resourceType'], resourceName: string): Resource => ({
  resourceType,
  resourceName,
  resourcePatternType: ResourcePatternTypes.PREFIXED,
});

/** Grants and takes back permissions, as somebody who may do everything. Each call resolves when the broker goes by it. */
export class KafkaAcls {
  readonly #kafka: InstanceType<typeof Kafka>;

  constructor(brokers: readonly string[]) {
    this.#kafka = new Kafka({ brokers: [...brokers], clientId: 'acls', logLevel: logLevel.NOTHING });
  }

  async grant(user: string, permissions: readonly Permission[]): Promise<void> {
    const acl = entriesOf(user, permissions);
    await this.#asked(async (admin) => {
      await admin.createAcls({ acl });
      await until(async () => (await countOf(admin, acl)) === acl.length);
    });
  }

  async revoke(user: string, permissions: readonly Permission[]): Promise<void> {
    const filters = entriesOf(user, permissions);
    await this.#asked(async (admin) => {
      await admin.deleteAcls({ filters });
      await until(async () => (await countOf(admin, filters)) === 0);
    });
  }

  async #asked(ask: (admin: kafkajs.Admin) => Promise<unknown>): Promise<void> {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      await ask(admin);
    } finally {
      await admin.disconnect();
    }
  }
}

/** How many of these the broker knows: it hears of them a moment after the controller. */
async function countOf(admin: kafkajs.Admin, entries: readonly AclEntry[]): Promise<number> {
  let count = 0;
  for (const entry of entries) {
    const { resources } = await admin.describeAcls(entry);
    count += resources.reduce((sum, { acls }) => sum + acls.length, 0);
  }
  return count;
}

const entriesOf = (user: string, permissions: readonly Permission[]): AclEntry[] =>
  permissions.flatMap(({ operations, resources }) =>
    operations.flatMap((operation) =>
      resources.map((resource) => ({
        ...resource,
        principal: `User:${user}`,
        host: '*',
        operation: AclOperationTypes[operation],
        permissionType: AclPermissionTypes.ALLOW,
      })),
    ),
  );
