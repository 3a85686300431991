import { differentiate } from 'lossledger/autodiff';
import { describeGraph } from 'lossledger/graph';
import { logistic } from './logistic.js';

export default describeGraph(differentiate(logistic()));
