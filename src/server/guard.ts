import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** What an answer says when a request is refused. */
export interface Refusal {
  readonly status: 403 | 405;
  readonly text: string;
}

/** The parts of a request that decide whether it is answered. */
export interface Asked {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** Sent with every answer: the page may load its own files and nothing else, and nobody may frame it or read it from elsewhere. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    // Charts carry their style with them; markup never comes from a run.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * Why a request is not answered; null where it is. Only GET and HEAD; only by a number as host, by localhost, or by the name the user
 * bound to, so that no foreign name that leads here (DNS rebinding) reads a run; no page of another origin.
 */
export function refusalOf({ method, headers }: Asked, names: readonly string[]): Refusal | null {
  if (method !== 'GET' && method !== 'HEAD')
    return { status: 405, text: 'Only GET and HEAD: nothing can be changed here.' };
  const { host, origin } = headers;
  if (host === undefined || !isOwnHost(host, names))
    return { status: 403, text: 'Ask by the address that lca view printed.' };
  const isForeign = origin !== undefined && origin !== `http://${host}`;
  if (isForeign || isEmbedded(headers))
    return { status: 403, text: 'Pages of other origins may not read a run.' };
  return null;
}

function isOwnHost(host: string, names: readonly string[]): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return name === 'localhost' || isIP(name.replace(/^\[(.*)\]$/, '$1')) > 0 || names.includes(name);
}

/** Whether a page of another site asks; a person who follows a link from there does not. */
function isEmbedded(headers: IncomingHttpHeaders): boolean {
  const { 'sec-fetch-site': site, 'sec-fetch-mode': mode } = headers;
  return (site === 'cross-site' || site === 'same-site') && mode !== 'navigate';
}
