/*
 * What a page asks for before its modules are there: the list of runs, and the summary of the one that is shown first. This module is all that runs at once,
 * so it imports nothing.
 */

let runs: Promise<unknown> | null = null;
const summaries = new Map<string, Promise<Uint8Array | null>>();

/** Begins, unless the page carries its runs itself. */
export function askEarly(): void {
  if (document.getElementById('runs') !== null) return;
  const first = runsAsked().then((list) => {
    const chosen = Number(/[#&]run=(\d{1,4})(&|$)/.exec(location.hash)?.[1] ?? 0);
    const { runs } = list as { runs: readonly { name: string; path: string }[] };
    const own = runs[Math.min(chosen, runs.length - 1)];
    if (own === undefined) return;
    document.title = `${own.name} – Lossledger`;
    const status = document.querySelector('.shell [role=status]');
    if (status !== null) status.textContent = `Reading ${own.name} …`;
    const summary = ask(own.path);
    summaries.set(own.path, summary);
    // Who shows it says what is wrong.
    summary.catch(() => undefined);
  });
  first.catch(() => undefined);
}

/** What `runs.json` says. Throws Error where the server gives none. */
export function runsAsked(): Promise<unknown> {
  runs ??= fetch('runs.json', { cache: 'no-store' }).then((response) => {
    if (response.ok) return response.json();
    throw new Error(`runs.json: the server answered ${response.status}`);
  });
  return runs;
}

/** The summary of the run at a path; null where the server has none. One that was asked for early is given once. */
export function summaryAsked(path: string): Promise<Uint8Array | null> {
  const early = summaries.get(path);
  summaries.delete(path);
  return early ?? ask(path);
}

/** A page that nobody sees paints no frames: it waits no longer than that. */
const mostMilliseconds = 200;

/** Resolves when what stands in the page now is painted. */
export function afterFrame(): Promise<void> {
  return new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, mostMilliseconds);
  });
}

async function ask(path: string): Promise<Uint8Array | null> {
  const response = await fetch(`${path}/summary`, { cache: 'no-store' });
  return response.status === 200 ? new Uint8Array(await response.arrayBuffer()) : null;
}
