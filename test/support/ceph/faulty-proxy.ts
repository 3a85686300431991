import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Ways in which an answer fails: before the server is asked, or, where it is passed on, with its answer lost. */
const faults: readonly { readonly isPassedOn: boolean; readonly end: (response: ServerResponse) => void }[] = [
  { isPassedOn: false, end: (response) => response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>') },
  { isPassedOn: false, end: (response) => response.writeHead(500).end() },
  { isPassedOn: true, end: (response) => response.socket?.destroy() },
  // Never answered: whoever asks must give up by itself.
  { isPassedOn: false, end: () => undefined },
  { isPassedOn: false, end: (response) => response.socket?.destroy() },
]; // prettier-ignore

/** What went through a proxy. */
export interface ProxyCounts {
  /** Requests that came, and those of them that failed or stalled. */
  requests: number;
  failed: number;
  /** By kind, such as `GET`, `PUT`, `LIST`. */
  readonly kinds: Record<string, number>;
  /** Bytes of bodies that were sent to the server, and came from it. */
  sent: number;
  received: number;
}

/** A proxy on loopback before an HTTP server. */
export interface FaultyProxy {
  readonly url: string;
  readonly counts: ProxyCounts;
  /** Begins to count anew, and says what was counted. */
  readonly reset: () => ProxyCounts;
  readonly close: () => void;
}

/** Starts a proxy in which every `every`-th request fails, each time in another way; those are the same in each run. Never: 0. */
export async function startFaultyProxy(target: string, every: number): Promise<FaultyProxy> {
  const counts: ProxyCounts = { requests: 0, failed: 0, kinds: {}, sent: 0, received: 0 };
  const server: Server = createServer((incoming, response) => {
    const kind = kindOf(incoming);
    counts.kinds[kind] = (counts.kinds[kind] ?? 0) + 1;
    const fault = ++counts.requests % every === 0 ? faults[counts.failed++ % faults.length] : undefined;
    if (fault?.isPassedOn === false) {
      fault.end(response);
      return;
    }
    pass(target, incoming, counts, (answer) => {
      if (fault !== undefined) {
        answer.resume().on('end', () => { fault.end(response); }); // prettier-ignore
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    }).on('error', () => response.destroy());
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    counts,
    reset: () => {
      const before = { ...counts, kinds: { ...counts.kinds } };
      Object.assign(counts, { requests: 0, failed: 0, sent: 0, received: 0, kinds: {} });
      return before;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function kindOf({ method, url }: IncomingMessage): string {
  return method === 'GET' && url!.includes('list-type=2') ? 'LIST' : method!;
}

/** Sends a request on, and counts the bytes of both bodies. */
function pass(
  target: string,
  incoming: IncomingMessage,
  counts: ProxyCounts,
  answered: (answer: IncomingMessage) => void,
): ReturnType<typeof request> {
  const { hostname, port } = new URL(target);
  const { method, url: path, headers } = incoming;
  const outgoing = request({ hostname, port, method, path, headers }, (answer) => {
    answer.on('data', (bytes: Buffer) => (counts.received += bytes.length));
    answered(answer);
  });
  incoming.on('data', (bytes: Buffer) => (counts.sent += bytes.length));
  return incoming.pipe(outgoing);
}
