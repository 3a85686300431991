import * as z from 'zod';
import { EngineError } from '../../errors.js';

/** What every frame begins with: the protocol and its version. */
export const magic = 'LLP1';
/** Bytes in front of a frame's header: magic, length of the header (uint32), length of the payload (uint64), little-endian. */
export const prefixBytes = 16;
/** A header is a few lines of JSON; a statement may list thousands of tensors. */
const mostHeaderBytes = 2 ** 26;
const mostPayloadBytes = 2 ** 36;

const text = z.string().trim().min(1).max(200);
const count = z.int().min(0);
const name = z.string().regex(/^[A-Za-z0-9][\w.-]*$/, 'letters, digits, . _ and -');

/** What a program says of itself before it answers: the header of its first frame. */
export const statementSchema = z.strictObject({
  kind: z.literal('statement'),
  /** What is measured, such as the network's name. */
  name: text,
  /** The loss in words, and its unit. */
  loss: text,
  unit: text.default('nats'),
  /** In which it computes, and in which θ and gradients travel. */
  precision: z.enum(['float32', 'float64']),
  /** Whether it gives the same for the same θ, to the bit. */
  deterministic: z.boolean(),
  /** Tensors of θ, end to end; `neuronAxis` counts output neurons, `layer` defaults to the name without its last part. */
  parameters: z
    .array(
      z.strictObject({
        name: text,
        shape: z.array(count),
        layer: text.optional(),
        neuronAxis: count.nullable().default(null),
      }),
    )
    .min(1),
  /** What is measured, and subsets whose losses add up to it by each thing that they are parts by. */
  objectives: z
    .array(
      z.strictObject({
        name,
        examples: z.int().min(1),
        parts: z.array(z.strictObject({ name: text, by: text.default('part'), examples: count })).default([]),
      }),
    )
    .min(1),
  /** Parameters that the losses depend on and that are not in θ, with the SHA-256 of their numbers as little-endian float32. */
  frozen: z.array(z.strictObject({ name: text, sha256: text })).optional(),
  /** What its user may not have meant, in words. */
  warnings: z.array(z.string().trim().min(1).max(1000)).optional(),
});

/** What a program says of itself. */
export type Statement = z.infer<typeof statementSchema>;

/** The header of an answer. */
export const answerSchema = z.looseObject({ kind: z.literal('answer'), id: z.int() });

/** One message: a header, which is JSON, and numbers. */
export interface Frame {
  readonly header: unknown;
  readonly payload: Uint8Array;
}

/** The bytes of a frame. */
export function encodeFrame(header: object, payload: Uint8Array = new Uint8Array(0)): Uint8Array[] {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const prefix = new Uint8Array(prefixBytes);
  prefix.set(new TextEncoder().encode(magic));
  const view = new DataView(prefix.buffer);
  view.setUint32(4, json.length, true);
  view.setBigUint64(8, BigInt(payload.length), true);
  return [prefix, json, payload];
}

/** Puts the bytes of a stream together to frames. */
export class FrameReader {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** Takes in bytes; gives the frames that are whole now. Throws EngineError for bytes that are no frame. */
  push(chunk: Uint8Array): Frame[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== null; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | null {
    if (this.#bytes < prefixBytes) return null;
    const prefix = this.#peek(prefixBytes);
    const view = new DataView(prefix.buffer, prefix.byteOffset);
    const [header, payload] = [view.getUint32(4, true), Number(view.getBigUint64(8, true))];
    if (new TextDecoder('latin1').decode(prefix.subarray(0, 4)) !== magic) throw noFrame(prefix);
    if (header > mostHeaderBytes || payload > mostPayloadBytes) throw noFrame(prefix);
    if (this.#bytes < prefixBytes + header + payload) return null;
    const whole = this.#peek(prefixBytes + header + payload);
    this.#chunks.splice(0, 1, this.#chunks[0]!.subarray(whole.length));
    this.#bytes -= whole.length;
    return {
      header: parsed(whole.subarray(prefixBytes, prefixBytes + header)),
      payload: whole.slice(prefixBytes + header),
    };
  }

  /** The first bytes in one piece, joined only as far as they have come whole. */
  #peek(length: number): Uint8Array {
    if (this.#chunks[0]!.length < length) {
      const joined = new Uint8Array(this.#bytes);
      let at = 0;
      for (const chunk of this.#chunks) {
        joined.set(chunk, at);
        at += chunk.length;
      }
      this.#chunks.splice(0, this.#chunks.length, joined);
    }
    return this.#chunks[0]!.subarray(0, length);
  }
}

function parsed(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(json));
  } catch (cause) {
    throw new EngineError(
      { given: 'a header that is no JSON', expected: 'an object, written by a JSON library', remedy: usual },
      { cause },
    );
  }
}

const usual =
  'see docs/OBJECTIVES.md; what the program prints must go to standard error, not standard output';

function noFrame(start: Uint8Array): EngineError {
  const printed = JSON.stringify(new TextDecoder('latin1').decode(start));
  return new EngineError({
    given: `bytes on standard output of the objective process that are no frame: ${printed}`,
    expected: `a frame, which begins with ${magic}`,
    remedy: usual,
  });
}
