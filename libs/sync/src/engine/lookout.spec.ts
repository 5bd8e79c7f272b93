import type { NodeLink, NodeNews } from '../log/node-link.js';
import { Lookout } from './lookout.js';
import type { Turn } from './slots.js';

const any: Turn = { from: ['critical', 'high', 'normal', 'low'], limit: 2, oldest: 0 };
const urgent: Turn = { from: ['critical'], limit: 1, oldest: 0 };

let told: NodeNews[];
let lookout: Lookout;
beforeEach(() => {
  told = [];
  const link = { onNews: () => undefined, onReconnected: () => undefined, tell: (news: NodeNews) => void told.push(news) };
  lookout = new Lookout(link as unknown as NodeLink, 1_000);
  lookout.open();
});

/** A claim, and what happens while it looks. */
const claim = (turn: Turn, found: number, meanwhile: () => void = () => undefined): void => {
  lookout.looks();
  meanwhile();
  lookout.found(found, turn);
};

it('tells nobody of new operations that this process takes itself', () => {
  lookout.hasNew();
  claim(any, 1);
  expect(told).toEqual([]);
});

it.each<[string, () => void]>([
  ['that are more than it has room for', () => claim(any, 2)],
  ['of which it took on the critical only', () => claim(urgent, 0)],
  ['for which it has no room at all', () => lookout.passOn()],
  ['that it could not claim', () => (lookout.looks(), lookout.passOn())],
  ['when it ends', () => lookout.close()],
])('tells the others of new operations %s', (_, claiming) => {
  lookout.hasNew();
  expect(told).toEqual([]);
  claiming();
  expect(told).toEqual([{ kind: 'queue' }]);
  claim(any, 2);
  expect(told).toHaveLength(1);
});

it('does not take for looked for what comes while a claim looks', () => {
  lookout.hasNew();
  claim(any, 1, () => lookout.hasNew());
  expect(told).toEqual([]);
  claim(any, 2);
  expect(told).toHaveLength(1);
});

it('tells the others at once while this process does not claim', () => {
  lookout.close();
  lookout.hasNew();
  expect(told).toHaveLength(1);
});

it('tells the others what is due since it has completed an operation while it ends', () => {
  lookout.completed();
  expect(told).toEqual([]);
  lookout.close();
  lookout.completed();
  expect(told).toEqual([{ kind: 'queue' }]);
});
