import { differentiate } from 'lossledger/autodiff';
import { referenceEngine } from 'lossledger/engines/reference';
import { key, normal } from 'lossledger/num';
import { examples, logistic } from './logistic.js';

const program = await referenceEngine.compile(differentiate(logistic()));
program.load(normal(key(1), 8));
const gradient = new Float64Array(8);
const x = Float32Array.from(normal(key(2), 3 * examples));
const loss = await program.run({ x, labels: Int32Array.of(0, 1, 1, 0) }, gradient);

// Browsers' exponential function may differ from Node's in the last digit.
export default [await referenceEngine.available(), [loss, ...gradient].map((value) => value.toPrecision(12))];
