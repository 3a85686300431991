import { describeGraph } from 'lossledger/graph';
import { logistic } from './logistic.js';

export default describeGraph(logistic());
