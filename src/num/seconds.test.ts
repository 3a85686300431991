import { describe, expect, it } from 'vitest';
import { secondsOf } from './seconds.js';

describe('secondsOf', () => {
  it('takes whole numbers and parts of a second, and what is usual where none are set', () => {
    expect(secondsOf('X', '5', 30)).toBe(5);
    expect(secondsOf('X', '0.25', 30)).toBe(0.25);
    for (const none of [undefined, '']) expect(secondsOf('X', none, 30)).toBe(30);
  });

  it.each(['abc', '0', '-1', '1e9', '86401', 'Infinity', ' 5', '5s'])('refuses %j by name', (text) => {
    expect(() => secondsOf('LOSSLEDGER_S3_TIMEOUT', text, 30)).toThrow(/LOSSLEDGER_S3_TIMEOUT=[^]*seconds/);
  });
});
