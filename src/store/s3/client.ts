import { AwsClient } from 'aws4fetch';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError, UsageError } from '../../errors.js';
import type { ByteRange } from '../../format/source.js';
import { secondsOf } from '../../num/seconds.js';

/** How often a request is tried, and the first pause between two tries, which doubles. */
const attempts = 8;
const pauseMs = 100;
/** A request that takes longer is tried again; `LOSSLEDGER_S3_TIMEOUT` says otherwise, in seconds. */
const timeoutSeconds = 30;

/** What another try may mend. */
const transient: readonly number[] = [408, 409, 429, 500, 502, 503, 504];

/** Requests wait so much longer, in seconds, for each mebibyte that they send. */
const secondsPerMebibyte = 1;

/** Only where nothing is there yet, or only where the object is the one with this tag. */
export type Condition = 'absent' | { readonly tag: string };

/** An object, and the tag by which a later write can ask whether it is still this one. */
export interface TaggedObject {
  readonly bytes: Uint8Array;
  readonly tag: string;
}

interface RequestParts {
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
}

interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
  /** What the store calls its error. */
  readonly code: string;
  readonly tag: string;
  /** The request was sent before, and what became of that is not known. */
  readonly isRepeated: boolean;
}

/** A bucket of any S3-compatible store, by the usual variables: credentials, region and endpoint. Throws UsageError where these lack credentials, or name no address. */
export class S3Bucket {
  readonly #client: AwsClient;
  /** Where the store is, and the bucket in it. */
  readonly url: string;
  readonly #timeoutMs: number;

  constructor(
    readonly bucket: string,
    environment: NodeJS.ProcessEnv = process.env,
  ) {
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
    if (!accessKeyId || !secretAccessKey) throw noCredentials(bucket);
    const region = environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'] ?? 'us-east-1';
    const sessionToken = environment['AWS_SESSION_TOKEN'];
    this.#client = new AwsClient({
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: 's3',
      region,
      // Tries are counted here, where broken connections and stalls are seen too.
      retries: 0,
    });
    const endpoint =
      environment['AWS_ENDPOINT_URL_S3'] ??
      environment['AWS_ENDPOINT_URL'] ??
      `https://s3.${region}.amazonaws.com`;
    if (!isAddress(endpoint)) throw noAddress(endpoint);
    this.url = `${endpoint.replace(/\/+$/, '')}/${bucket}`;
    this.#timeoutMs =
      1000 * secondsOf('LOSSLEDGER_S3_TIMEOUT', environment['LOSSLEDGER_S3_TIMEOUT'], timeoutSeconds);
  }

  /** An object or a range of it; undefined where there is none. Throws StoreError. */
  async get(key: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    if (range !== undefined && range.end <= range.start) return new Uint8Array(0);
    return (await this.getTagged(key, range))?.bytes;
  }

  /** As `get`, with the tag of the whole object. Throws StoreError. */
  async getTagged(key: string, range?: ByteRange): Promise<TaggedObject | undefined> {
    const headers = range === undefined ? {} : { range: `bytes=${range.start}-${range.end - 1}` };
    const { status, body, code, tag } = await this.#request('GET', this.#url(key), { headers });
    if (status === 404 && code !== 'NoSuchBucket') return undefined;
    // A range behind the last byte holds nothing.
    if (status === 416) return { bytes: new Uint8Array(0), tag };
    this.#requireDone(`read ${key}`, status, code);
    return { bytes: body, tag };
  }

  /**
   * Writes an object as a whole; returns its tag, null where a condition does not hold. Where an answer was lost and the object is now as it was to be, it
   * was written. Throws StoreError.
   */
  async put(key: string, bytes: Uint8Array, condition?: Condition): Promise<string | null> {
    const headers: Record<string, string> = {};
    if (condition === 'absent') headers['if-none-match'] = '*';
    // Some stores take tags without the quotes alone.
    else if (condition !== undefined) headers['if-match'] = condition.tag.replaceAll('"', '');
    const { status, code, tag, isRepeated } = await this.#request('PUT', this.#url(key), { headers, body: bytes }); // prettier-ignore
    // An object that is gone is not the one with the tag.
    if (status === 412 || (status === 404 && code === 'NoSuchKey')) {
      const now = isRepeated ? await this.getTagged(key) : undefined;
      return now !== undefined && Buffer.from(now.bytes).equals(bytes) ? now.tag : null;
    }
    this.#requireDone(`write ${key}`, status, code);
    return tag;
  }

  /** Removes an object, where there is one. Throws StoreError. */
  async remove(key: string): Promise<void> {
    const { status, code } = await this.#request('DELETE', this.#url(key), {});
    if (status !== 404 || code === 'NoSuchBucket') this.#requireDone(`remove ${key}`, status, code);
  }

  /** All keys that begin so, in order. Throws StoreError. */
  async list(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    let token = '';
    do {
      const query = `list-type=2&encoding-type=url&prefix=${encodeURIComponent(prefix)}${token}`;
      const { status, code, body } = await this.#request('GET', `${this.url}?${query}`, {});
      this.#requireDone(`list ${prefix}`, status, code);
      const text = new TextDecoder().decode(body);
      for (const [, key] of text.matchAll(/<Key>([^<]*)<\/Key>/g)) keys.push(decoded(key!));
      const next = /<NextContinuationToken>([^<]*)</.exec(text)?.[1];
      token = next === undefined ? '' : `&continuation-token=${encodeURIComponent(next)}`;
    } while (token !== '');
    return keys;
  }

  #url(key: string): string {
    return `${this.url}/${key.split('/').map(encodeURIComponent).join('/')}`;
  }

  /** One request, tried again after what may pass: a broken connection, a stall, an error of the server. */
  async #request(method: string, url: string, init: RequestParts): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#tryOnce(method, url, init).catch((error: unknown) => {
        if (attempt === attempts) throw unreachable(url, error);
        return null;
      });
      if (answer !== null && (!transient.includes(answer.status) || attempt === attempts))
        return { ...answer, isRepeated: attempt > 1 };
      await sleep(pauseMs * 2 ** (attempt - 1) * (0.5 + Math.random()));
    }
  }

  /** One try. It is given up where nothing comes for a while: what takes long because it is large goes on. */
  async #tryOnce(
    method: string,
    url: string,
    { headers = {}, body: sent }: RequestParts,
  ): Promise<Omit<Answer, 'isRepeated'>> {
    const stall = new AbortController();
    const patience = this.#timeoutMs + (1000 * secondsPerMebibyte * (sent?.length ?? 0)) / 2 ** 20;
    const giveUp = () => { stall.abort(new TypeError('it stalled')); }; // prettier-ignore
    let timer = setTimeout(giveUp, patience);
    try {
      const request = await this.#client.sign(url, { method, headers, ...(sent === undefined ? {} : { body: Buffer.from(sent) }) }); // prettier-ignore
      const response = await fetch(request, { signal: stall.signal });
      const pieces: Uint8Array[] = [];
      const body = response.body as AsyncIterable<Uint8Array> | null;
      for await (const piece of body ?? []) {
        clearTimeout(timer);
        timer = setTimeout(giveUp, this.#timeoutMs);
        pieces.push(piece);
      }
      return answerOf(response, Buffer.concat(pieces));
    } finally {
      clearTimeout(timer);
    }
  }

  #requireDone(doing: string, status: number, code: string): void {
    if (status >= 200 && status < 300) return;
    const { expected, remedy } = explanations[code] ?? explanations[String(status)] ?? unexplained;
    throw new StoreError(
      { given: `could not ${doing} in bucket ${this.bucket} (${status}${code === '' ? '' : ` ${code}`})`, expected, remedy },
      { exitCode: status >= 500 ? 1 : 2 },
    ); // prettier-ignore
  }
}

/** Throws TypeError where the body was cut. */
function answerOf({ ok, status, headers }: Response, bytes: Buffer): Omit<Answer, 'isRepeated'> {
  const expected = headers.get('content-length');
  if (ok && expected !== null && Number(expected) !== bytes.length)
    throw new TypeError(`${bytes.length} of ${expected} bytes came`);
  const code = ok ? '' : (/<Code>([^<]*)</.exec(bytes.toString())?.[1] ?? '');
  return {
    status,
    body: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
    code,
    tag: headers.get('etag') ?? '',
  };
}

/** What to tell about an error of a store, by its code or its status. */
const explanations: Readonly<Record<string, { expected: string; remedy: string }>> = {
  NoSuchBucket: { expected: 'a bucket that is there', remedy: 'check its name, and the endpoint in AWS_ENDPOINT_URL' },
  SignatureDoesNotMatch: { expected: 'the secret that belongs to the key', remedy: 'check AWS_SECRET_ACCESS_KEY and AWS_REGION' },
  InvalidAccessKeyId: { expected: 'a key that the store knows', remedy: 'check AWS_ACCESS_KEY_ID, and the endpoint in AWS_ENDPOINT_URL' },
  RequestTimeTooSkewed: { expected: 'a clock that is right to a quarter of an hour, since requests are signed with the time', remedy: 'set the clock of this machine' },
  ExpiredToken: { expected: 'credentials that are still valid', remedy: 'get new ones; AWS_SESSION_TOKEN is out of date' },
  403: { expected: 'permission to do it', remedy: 'allow s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket on bucket and run' },
  404: { expected: 'a bucket that is there', remedy: 'check its name, and the endpoint in AWS_ENDPOINT_URL' },
}; // prettier-ignore

const unexplained = {
  expected: 'the store to do it',
  remedy: 'try again later; what is stored stays valid',
};

function noCredentials(bucket: string): UsageError {
  return new UsageError({
    given: `bucket ${bucket} without credentials`,
    expected: 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment',
    remedy: 'set them, and AWS_ENDPOINT_URL where the store is not Amazon’s',
  });
}

function isAddress(endpoint: string): boolean {
  return URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol);
}

function noAddress(endpoint: string): UsageError {
  return new UsageError({
    given: `AWS_ENDPOINT_URL ${JSON.stringify(endpoint)}`,
    expected: 'the address of an object store',
    remedy: 'write it whole, such as https://s3.example.org',
  });
}

function unreachable(url: string, error: unknown): StoreError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const what = cause instanceof Error ? cause.message : String(cause);
  return new StoreError(
    {
      given: `no answer from ${new URL(url).origin} in ${attempts} tries (${what})`,
      expected: 'a store that answers',
      remedy: 'check AWS_ENDPOINT_URL and the network; what is stored stays valid',
    },
    { exitCode: 1, cause: error },
  );
}

/** A key as a list states it, URL-encoded. */
function decoded(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '));
}
