import { expect, it } from 'vitest';
import { Turns } from './turns.js';

it('lets no more than so many be under way, and each has its turn, also behind one that fails', async () => {
  const turns = new Turns(3);
  const order: number[] = [];
  let [now, most] = [0, 0];
  const work = (index: number) => async () => {
    order.push(index);
    most = Math.max(most, ++now);
    await Promise.resolve();
    now--;
    if (index % 4 === 0) throw new Error(`no ${index}`);
    return index;
  };
  const done = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => turns.take(work(index))));
  expect(most).toBe(3);
  expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
  expect(done.map(({ status }) => status === 'fulfilled')).toEqual(order.map((index) => index % 4 !== 0));
});
