import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCount, formatNumber, formatPercent, formatShare, scaledUnit } from './format.js';
import { columns, escapeMarkup, printable, shorten, shortNames } from './text.js';

const superscriptDigits = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Reads a formatted number back. */
function readNumber(text: string): number {
  const plain = text
    .replaceAll(',', '')
    .replaceAll('−', '-')
    .replace('·10', 'e')
    .replaceAll('⁻', '-')
    .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹]/g, (digit) => String(superscriptDigits.indexOf(digit)));
  return Number(plain);
}

describe('numbers', () => {
  it('read back to within half a unit of the last digit', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }),
        fc.integer({ min: 2, max: 6 }),
        (value, digits) => {
          const error = Math.abs(readNumber(formatNumber(value, digits)) - value);
          expect(error).toBeLessThanOrEqual(0.5001 * 10 ** (1 - digits) * Math.abs(value));
        },
      ),
    );
  });

  it('have a fixed look', () => {
    expect(
      [0, -2.28, 1.08e-3, -171.1, -4249.64, 84060, 2.94e-6, 9.99996].map((n) => formatNumber(n)),
    ).toEqual(['0', '−2.280', '0.001080', '−171.1', '−4,250', '84,060', '2.940·10⁻⁶', '10.00']);
    expect(formatCount(1371658)).toBe('1,371,658');
    expect(formatShare(0.5)).toBe('50.0 %');
    expect(formatPercent(null)).toBe('–');
    expect(scaledUnit(3.2e-5, 'nats')).toMatchObject({ unit: '10⁻⁶ nats' });
    expect(scaledUnit(0, 'nats').unit).toBe('nats');
    expect(scaledUnit(8.1e12, 'nats')).toEqual({ factor: 1e-12, unit: '10¹² nats' });
    expect([formatShare(-0.227), formatShare(-6.8e10)]).toEqual(['−22.7 %', '−6.80·10¹² %']);
  });
});

describe('text', () => {
  it('is escaped for markup, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...`<>&"'#;a\u0000\u202e\ud800é`) }), (text) => {
        const safe = escapeMarkup(text);
        expect(safe).not.toMatch(/[<>"']/);
        expect(safe.replaceAll(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
      }),
    );
  });

  it('loses what could disturb a terminal or the direction of text', () => {
    expect(printable('a\u001b[31mb\u0000\n\u202ec\u200bd\ud800')).toBe(
      'a�[31mb����c�d�'.replace('����', '���'),
    );
  });

  it.each([
    [
      [
        'm.encoder.layers.0.self_attention.output',
        'm.encoder.layers.0.intermediate',
        'm.encoder.layers.1.intermediate',
      ],
      ['…0.s_a.output', '…0.intermediate', '…1.intermediate'],
    ],
    [
      ['encoder.layer.0.attention', 'encoder.layer.1.attention', 'head'],
      ['e.l.0.attention', 'e.l.1.attention', 'head'],
    ],
    [
      ['a'.repeat(40), 'a'.repeat(41)],
      ['aaaaaa…aaaaa #1', 'aaaaaa…aaaaa #2'],
    ],
    [
      ['b\u0000', 'c'],
      ['b\ufffd', 'c'],
    ],
  ])('shortens names so that they stay apart: %j', (names, short) => {
    expect(shortNames(names, 15)).toEqual(short);
  });

  it('keeps any names within their length', () => {
    const word = fc.string({ unit: fc.constantFrom(...'ab0./_😀'), maxLength: 60 });
    fc.assert(
      fc.property(fc.uniqueArray(word, { minLength: 1, maxLength: 8 }), (names) => {
        const short = shortNames(names, 16);
        expect(new Set(short).size).toBe(names.length);
        for (const name of short) expect([...name].length).toBeLessThanOrEqual(16);
      }),
    );
  });

  it('is shortened in the middle, by characters', () => {
    expect(shorten('encoder.layer.weight', 9)).toBe('enco…ight');
    expect(shorten('short', 9)).toBe('short');
    expect([...shorten('😀'.repeat(30), 5)]).toHaveLength(5);
    expect([columns('日本'), columns('é'), columns('ab')]).toEqual([4, 1, 2]);
  });
});
