import { expect, it } from 'vitest';
import { once, onceFor } from './once.js';

it('computes when it is first called, and never again', () => {
  let calls = 0;
  const value = once(() => ({ call: ++calls }));
  expect(calls).toBe(0);
  expect(value()).toBe(value());
  expect(calls).toBe(1);
});

it('remembers that there is nothing', () => {
  let calls = 0;
  const value = once(() => void calls++);
  value();
  value();
  expect(calls).toBe(1);
});

it('computes once for each object', () => {
  const one = {};
  const made = onceFor((key: object) => ({ key }));
  expect(made(one)).toBe(made(one));
  expect(made({})).not.toBe(made(one));
});
