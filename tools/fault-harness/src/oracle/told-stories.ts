import { makeStories } from '../stories/make-stories.js';
import type { Story } from '../stories/story.js';
import { NOW, type Appearance } from './appearance.builder.js';
import { judge } from './judge.js';
import type { Check } from './violation.js';

/** Enough that every kind of story is among them. */
export const { stories, sends } = makeStories({ seed: 7, contracts: 300, now: NOW });

/** The first story of a kind. */
export const storyOf = <Kind extends Story['kind']>(kind: Kind): Extract<Story, { kind: Kind }> => {
  const story = stories.find((each): each is Extract<Story, { kind: Kind }> => each.kind === kind);
  if (story === undefined) throw new RangeError(`No ${kind} among the stories.`);
  return story;
};

/** The checks that find something wrong where one story was sent, and this is seen; each once. */
export const checksOf = (story: Story, { seen }: Appearance): readonly Check[] => [
  ...new Set(judge({ stories: [story], copies: 1, now: NOW }, seen).map(({ check }) => check)),
];

/** As an appearance names the first case that operators decide, and the first hold. */
export const CASE = 'case-0';
export const HOLD = 'hold-0';
