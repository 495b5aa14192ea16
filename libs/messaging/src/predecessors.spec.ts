import type { GroupMember } from './kafkajs.js';
import { Predecessors } from './predecessors.js';

/** A consumer group as its coordinator has it. */
class Group {
  members: GroupMember[] = [];
  /** What was asked of the coordinator, and when we joined. */
  readonly story: string[] = [];
  isAway = false;

  readonly connection = {
    open: () => (this.isAway ? Promise.reject(new Error('away')) : Promise.resolve()),
    close: () => Promise.resolve(),
    members: () => Promise.resolve([...this.members]),
    leave: (memberId: string) => {
      this.story.push(`${memberId} leaves`);
      const isThere = this.members.some((member) => member.memberId === memberId);
      this.members = this.members.filter((member) => member.memberId !== memberId);
      return isThere ? Promise.resolve() : Promise.reject(new Error('UNKNOWN_MEMBER_ID'));
    },
  };

  add(memberId: string, clientId: string): void {
    this.members.push({ memberId, clientId });
  }

  readonly join = (memberId: string, clientId: string) => (): Promise<void> => {
    this.story.push(`${memberId} joins`);
    this.add(memberId, clientId);
    return Promise.resolve();
  };
}

let group: Group;
let predecessors: Predecessors;
beforeEach(() => {
  group = new Group();
  predecessors = new Predecessors(
    () => group.connection,
    'intake',
    'v402-a',
    () => undefined,
  );
});

test('default: members of our name leave once we have joined; others stay', async () => {
  group.add('a-1', 'v402-a');
  group.add('b-1', 'v402-b');
  await predecessors.replace(group.join('a-2', 'v402-a'));
  expect(group.story).toEqual(['a-2 joins', 'a-1 leaves']);
  expect(group.members.map(({ memberId }) => memberId)).toEqual(['b-1', 'a-2']);
});

test('behavior: later on only members leave that this process was itself', async () => {
  await predecessors.replace(group.join('a-1', 'v402-a'));
  predecessors.joined('a-1');
  group.add('a-of-another-process', 'v402-a');
  await predecessors.replace(group.join('a-2', 'v402-a'));
  expect(group.story).toEqual(['a-1 joins', 'a-2 joins', 'a-1 leaves']);
  expect(group.members.map(({ memberId }) => memberId)).toEqual(['a-of-another-process', 'a-2']);
});

test('behavior: one that has gone meanwhile keeps no other from leaving', async () => {
  group.add('a-1', 'v402-a');
  group.add('a-2', 'v402-a');
  await predecessors.replace(() => {
    group.members.shift();
    return group.join('a-3', 'v402-a')();
  });
  expect(group.members.map(({ memberId }) => memberId)).toEqual(['a-3']);
});

test('error: a coordinator that does not answer keeps nobody from joining, and is asked again next time', async () => {
  group.add('a-1', 'v402-a');
  group.isAway = true;
  await predecessors.replace(group.join('a-2', 'v402-a'));
  expect(group.story).toEqual(['a-2 joins']);
  group.isAway = false;
  await predecessors.replace(group.join('a-3', 'v402-a'));
  expect(group.members.map(({ memberId }) => memberId)).toEqual(['a-3']);
});

test('error: what keeps us from joining is told', async () => {
  group.add('a-1', 'v402-a');
  const refused = predecessors.replace(() => Promise.reject(new Error('no')));
  await expect(refused).rejects.toThrow('no');
});
