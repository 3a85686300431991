import { paperPresets, paperRecord, sharesOf } from 'lossledger/analysis';

export default [
  sharesOf({ helping: 5, hurting: 3, zero: 2 }),
  paperPresets.map((name) => [name, paperRecord(name)]),
];
