import { resolve } from 'node:path';
import { StoreError, UsageError } from '../../errors.js';
import type { ByteRange } from '../../format/source.js';
import type { ListedPlace } from '../../format/verify/unclaimed.js';
import { sha256 } from '../files.js';
import { coalesced } from './coalesce.js';
import { type Condition, S3Bucket, type TaggedObject } from './client.js';

/** Whether a run is named by its address in an object store. */
export function isRemote(address: string): boolean {
  return /^s3:\/\//i.test(address);
}

/** A run's folder or address as it is named from any folder. */
export function fromAnywhere(address: string): string {
  return isRemote(address) ? address : resolve(address);
}

/** Requests of one kind that are on their way at a time. */
const inFlight = 8;

/** The objects of a run in a bucket, by their paths inside the run. All methods throw StoreError where the store does not do it. */
export class RemoteRun {
  private constructor(
    /** As the user names it. */
    readonly address: string,
    readonly bucket: S3Bucket,
    /** What the keys of all its objects begin with. */
    readonly prefix: string,
  ) {}

  /** The run at s3://BUCKET/PATH, by the usual variables. Throws UsageError. */
  static at(address: string, environment?: NodeJS.ProcessEnv): RemoteRun {
    const [, bucket, path] = /^s3:\/\/([^/]*)\/*(.*?)\/*$/is.exec(address)!;
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/i.test(bucket!)) throw noBucket(address, bucket!);
    if (path !== '') return new RemoteRun(address, new S3Bucket(bucket!, environment), `${path!}/`);
    throw new UsageError({
      given: address,
      expected: 'the address of a run in a bucket, such as s3://bucket/my-run',
      remedy: 'add the path of the run inside the bucket',
    });
  }

  /** The run as a place to read from. Ranges of one object that are asked for at once are one request. */
  place(): ListedPlace {
    return {
      place: this.address,
      source: coalesced({ get: (path, range) => this.get(path, range) }),
      digest: sha256,
      list: () => this.list(''),
    };
  }

  /** An object or a range of it; undefined where there is none. */
  get(path: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    return this.bucket.get(this.prefix + path, range);
  }

  getTagged(path: string): Promise<TaggedObject | undefined> {
    return this.bucket.getTagged(this.prefix + path);
  }

  /** Writes an object as a whole; returns its tag, null where a condition does not hold. */
  put(path: string, bytes: Uint8Array, condition?: Condition): Promise<string | null> {
    return this.bucket.put(this.prefix + path, bytes, condition);
  }

  /**
   * Writes what is already there, or makes it.
   *
   * @throws StoreError where others have written the object since.
   */
  async replace(path: string, bytes: Uint8Array, tag: string | null): Promise<string> {
    const now = await this.put(path, bytes, tag === null ? 'absent' : { tag });
    if (now !== null) return now;
    throw new StoreError(
      {
        given: `${this.address}/${path}, which another process wrote at the same time`,
        expected: 'one process merging a run',
        remedy: 'merge again when the other one is done; nothing is lost',
      },
      { exitCode: 1 },
    );
  }

  /** Paths inside the run of all objects that begin so, in order. */
  async list(path: string): Promise<string[]> {
    const keys = await this.bucket.list(this.prefix + path);
    return keys.map((key) => key.slice(this.prefix.length));
  }

  /** Removes objects. */
  async remove(paths: readonly string[]): Promise<void> {
    await forEach(paths, (path) => this.bucket.remove(this.prefix + path));
  }
}

/** Does something for each of a list, several at a time. */
export async function forEach<T>(list: readonly T[], act: (entry: T) => Promise<unknown>): Promise<void> {
  const left = [...list].reverse();
  const worker = async (): Promise<void> => {
    for (let entry = left.pop(); entry !== undefined; entry = left.pop()) await act(entry);
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, list.length) }, worker));
}

function noBucket(address: string, name: string): UsageError {
  return new UsageError({
    given: `${address}, where ${name === '' ? 'no bucket is named' : `${name} can be no bucket`}`,
    expected:
      'the name of a bucket behind s3://: 3 to 63 letters, digits, dots and hyphens, the first and last a letter or digit',
    remedy: 'check the name: s3://BUCKET/PATH',
  });
}
