import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/cli.js';
import { spanOf } from './answer.js';
import { type Served, serveRuns } from './serve.js';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const folder = temporaryFolder();
const hostile = '<img src=x onerror=alert(1)>"\'&';
let served: Served;

/** Asks with the path exactly as it is given, which `fetch` would tidy. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const { hostname, port } = new URL(served.url);
  return new Promise((done, fail) => {
    const asked = request({ hostname, port, path, headers, method }, (response) => {
      let body = '';
      response.on('data', (text) => (body += String(text)));
      response.on('end', () => { done({ status: response.statusCode!, headers: response.headers, body }); }); // prettier-ignore
    });
    asked.on('error', fail);
    asked.end();
  });
}

beforeAll(async () => {
  const write = (path: string, text: string) => {
    writeFileSync(join(folder, path), text);
  };
  for (const path of [
    'page/assets',
    'run/ledger.zarr/loss',
    'run/pending',
    'run/pyramid/train/curves',
    'other',
  ])
    mkdirSync(join(folder, path), { recursive: true });
  write('page/index.html', '<!doctype html><title>page</title>');
  write('page/assets/a.js', '1;');
  write('run/manifest.json', '{"a": 1}');
  write('run/journal', '0123456789');
  write('run/lock', 'mine');
  write('run/notes.txt', 'mine');
  write('run/ledger.zarr/page.html', '<script>alert(1)</script>');
  write('run/ledger.zarr/.hidden', 'mine');
  write('other/secret', 'secret');
  write('run/pyramid/train/curves/0', 'abcdefgh');
  write('run/pyramid/train/curves/1', 'ijklmnop');
  write('run/pyramid/train/curves/2', 'qr');
  symlinkSync(join(folder, 'other/secret'), join(folder, 'run/ledger.zarr/link'));
  symlinkSync(join(folder, 'other'), join(folder, 'run/ledger.zarr/linked'));
  symlinkSync(join(folder, 'run/journal'), join(folder, 'run/ledger.zarr/inside'));
  write('run/ledger.zarr/huge', '');
  truncateSync(join(folder, 'run/ledger.zarr/huge'), 10 * 2 ** 30);
  served = await serveRuns({
    page: join(folder, 'page'),
    runs: [{ name: hostile, folder: join(folder, 'run') }],
  });
});
afterAll(() => served.close());

describe('the server of lca view', () => {
  it('gives the page, the list of runs and their files, and parts of them', async () => {
    expect((await ask('/')).body).toContain('page');
    expect((await ask('/assets/a.js')).headers['content-type']).toContain('javascript');
    expect(JSON.parse((await ask('/runs.json')).body)).toEqual({
      runs: [{ name: hostile, path: 'runs/0' }],
      joinsBlocks: true,
    });
    expect((await ask('/runs/0/manifest.json')).body).toBe('{"a": 1}');
    const part = await ask('/runs/0/journal', { Range: 'bytes=2-4' });
    expect([part.status, part.body, part.headers['content-range']]).toEqual([206, '234', 'bytes 2-4/10']);
    expect((await ask('/runs/0/journal', { Range: 'bytes=10-' })).status).toBe(416);
    expect(await ask('/runs/0/journal', {}, 'HEAD')).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': '10' },
    });
    expect((await ask('/runs/0/ledger.zarr/inside')).body).toBe('0123456789');
  });

  it('joins ranges of the blocks of a curve', async () => {
    const { status, body, headers } = await ask('/runs/0/blocks/train/2/2-5');
    expect([status, body, headers['content-type']]).toEqual([200, 'cdeklm', 'application/octet-stream']);
    expect(await ask('/runs/0/blocks/train/2/2-5', {}, 'HEAD')).toMatchObject({ body: '', headers: { 'content-length': '6' } }); // prettier-ignore
  });

  it.each([
    '/runs/0/blocks/train/3/2-5', '/runs/0/blocks/train/4/0-1', '/runs/0/blocks/train/0/2-5', '/runs/0/blocks/train/2/5-2', '/runs/0/blocks/train/2/5-5',
    '/runs/0/blocks/other/2/2-5', '/runs/0/blocks/%2e%2e/2/2-5', '/runs/0/blocks/..%2f..%2fother/1/0-3', '/runs/0/blocks/train/999999/0-99999',
    '/runs/0/blocks/train/2/0-9999999999999', '/runs/1/blocks/train/2/2-5', '/runs/0/blocks/train/2', '/runs/0/blocks/.hidden/2/2-5',
    '/../other/secret', '/runs/0/../../other/secret', '/runs/0/ledger.zarr/../../../other/secret', '/%2e%2e/other/secret',
    '/runs/0/ledger.zarr/..%2f..%2f..%2fother%2fsecret', '/runs/0/ledger.zarr/..%5c..%5cother', '//etc/passwd', '/runs/0//etc/passwd',
    '/runs/0/ledger.zarr/%00', '/runs/0/ledger.zarr/%', '/runs/1/manifest.json', '/runs/-1/manifest.json', '/runs/0/', '/runs/0/ledger.zarr',
    '/runs/0/ledger.zarr/link', '/runs/0/ledger.zarr/linked/secret', '/runs/0/lock', '/runs/0/notes.txt', '/runs/0/ledger.zarr/.hidden',
    `/runs/0/ledger.zarr/${'a'.repeat(5000)}`, '/runs/0/ledger.zarr/CON:x',
  ])('gives nothing for %s', async (path) => {
    const { status, body } = await ask(path);
    expect([status, body]).toEqual([404, 'Not found.\n']);
  }); // prettier-ignore

  it('refuses foreign hosts, foreign origins, and pages that embed it', async () => {
    const port = new URL(served.url).port;
    for (const headers of [
      { Host: 'evil.example' }, { Host: `evil.example:${port}` }, { Host: 'localhost.evil.example' },
      { Origin: 'http://evil.example' }, { Origin: 'null' }, { Origin: `https://127.0.0.1:${port}` },
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' }, { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'cors' },
    ]) expect((await ask('/runs/0/manifest.json', headers as Record<string, string>)).status, JSON.stringify(headers)).toBe(403); // prettier-ignore
    for (const headers of [
      { Host: `localhost:${port}` },
      { Host: `[::1]:${port}` },
      { Origin: `http://127.0.0.1:${port}` },
    ])
      expect((await ask('/', headers as Record<string, string>)).status).toBe(200);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])('does nothing for %s', async (method) => {
    const { status, headers } = await ask('/runs/0/manifest.json', {}, method);
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
  });

  it('sends a strict policy with every answer, and files of a run never as a page', async () => {
    for (const path of ['/', '/runs/0/manifest.json', '/none']) {
      const { headers } = await ask(path);
      expect(headers['content-security-policy']).toMatch(/default-src 'none'; script-src 'self';/);
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'cross-origin-resource-policy': 'same-origin' });
    } // prettier-ignore
    expect((await ask('/runs/0/ledger.zarr/page.html')).headers['content-type']).toBe(
      'application/octet-stream',
    );
  });

  it('has no summary of what is no run, and says so without an error', async () => {
    const { status, body } = await ask('/runs/0/summary');
    expect([status, body]).toEqual([204, '']);
    expect((await ask('/runs/1/summary')).status).toBe(404);
  });

  it('answers 1,000 requests at once, and takes a huge file by parts', async () => {
    const answers = await Promise.all(Array.from({ length: 1000 }, () => ask('/runs/0/journal')));
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(['0123456789']));
    const part = await ask('/runs/0/ledger.zarr/huge', { Range: `bytes=${9 * 2 ** 30}-${9 * 2 ** 30 + 3}` });
    expect([part.status, part.body]).toEqual([206, '\0\0\0\0']);
  });

  it('says what is wrong where a port is taken', async () => {
    const port = Number(new URL(served.url).port);
    await expect(serveRuns({ page: folder, runs: [], port })).rejects.toThrow(
      /EADDRINUSE.*\n.*\n.*leave --port out/,
    );
  });
});

describe('a range', () => {
  it.each([
    [undefined, 10, [0, 10]], ['bytes=0-0', 10, [0, 1]], ['bytes=3-', 10, [3, 10]], ['bytes=-4', 10, [6, 10]], ['bytes=-40', 10, [0, 10]],
    ['bytes=5-100', 10, [5, 10]], ['bytes=-', 10, [0, 10]], ['bytes=1-2,4-5', 10, [0, 10]], ['lines=1-2', 10, [0, 10]],
    ['bytes=10-', 10, null], ['bytes=7-3', 10, null], ['bytes=-0', 10, null],
  ])('%s of %i bytes is %j', (range, size, span) => {
    expect(spanOf(range, size)).toEqual(span);
  }); // prettier-ignore
});
