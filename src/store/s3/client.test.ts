import { describe, expect, it } from 'vitest';
import { UsageError } from '../../errors.js';
import { S3Bucket } from './client.js';
import { RemoteRun } from './remote-run.js';

const credentials = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };

describe('a bucket', () => {
  it('is at the endpoint of the environment, or at Amazon’s', () => {
    const own = new S3Bucket('runs', { ...credentials, AWS_ENDPOINT_URL: 'http://127.0.0.1:7480/' });
    expect(own.url).toBe('http://127.0.0.1:7480/runs');
    expect(new S3Bucket('runs', { ...credentials, AWS_REGION: 'eu-west-1' }).url).toBe(
      'https://s3.eu-west-1.amazonaws.com/runs',
    );
  });

  it.each(['', 'localhost:7480', 'not an address', 'file:///etc'])('is refused at %j', (endpoint) => {
    const make = () => new S3Bucket('runs', { ...credentials, AWS_ENDPOINT_URL: endpoint });
    expect(make).toThrow(UsageError);
    expect(make).toThrow(/AWS_ENDPOINT_URL[^]*https:/);
  });

  it('is refused without credentials', () => {
    expect(() => new S3Bucket('runs', { AWS_ACCESS_KEY_ID: 'key' })).toThrow(UsageError);
    const hasty = { ...credentials, LOSSLEDGER_S3_TIMEOUT: '0' };
    expect(() => new S3Bucket('runs', hasty)).toThrow(/LOSSLEDGER_S3_TIMEOUT=0/);
  });
});

describe('the address of a run', () => {
  it('is a bucket and a path', () => {
    expect(RemoteRun.at('s3://my-bucket//a/run/', credentials)).toMatchObject({ prefix: 'a/run/' });
  });

  it.each([
    ['s3://b/run', /b can be no bucket[^]*3 to 63/],
    ['s3://my_bucket/run', /my_bucket can be no bucket/],
    ['s3:///run', /no bucket is named/],
    ['s3://bucket', /add the path/],
    ['s3://bucket/', /add the path/],
  ])('is refused where something is wrong: %s', (address, message) => {
    expect(() => RemoteRun.at(address, credentials)).toThrow(UsageError);
    expect(() => RemoteRun.at(address, credentials)).toThrow(message);
  });
});
