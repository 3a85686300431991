import { openRun } from 'lossledger/format';

/** A run folder on a web server. */
function httpSource(address) {
  return {
    async get(path, range) {
      const headers = range ? { Range: `bytes=${range.start}-${range.end - 1}` } : {};
      const response = await fetch(`${address}/${path}`, { headers });
      if (response.status === 404 || response.status === 416) return undefined;
      if (!response.ok) throw new Error(`${address}/${path}: ${response.status} ${response.statusText}`);
      return new Uint8Array(await response.arrayBuffer());
    },
  };
}

/** One row for each segment: the total of each objective. */
async function showTotals(address, table) {
  const view = await (await openRun({ place: address, source: httpSource(address) })).view();
  const totals = view.objectives.map(({ name }) => [...view.column('total', name)]);
  table
    .createTHead()
    .insertRow()
    .append(...view.objectives.map(({ name }) => cell('th', name)));
  const body = table.createTBody();
  for (let segment = 0; segment < view.segments; segment++) {
    body.insertRow().append(...totals.map((column) => cell('td', String(column[segment]))));
  }
}

function cell(kind, text) {
  const element = document.createElement(kind);
  element.textContent = text;
  return element;
}

await showTotals(new URL('../run', location.href).href, document.querySelector('#totals'));
document.body.dataset.state = 'shown';
