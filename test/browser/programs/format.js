import { openRun, sha256 } from 'lossledger/format';

const refused = await openRun({ place: 'nowhere', source: { get: async () => undefined } }).catch(
  (error) => error.message,
);

export default [sha256(new TextEncoder().encode('abc')), refused];
