import { dot, fold, key, normal, permutation, sum, uniform } from 'lossledger/num';

const drawn = normal(fold(key(7), 'browser'), 100);

export default [...drawn, ...uniform(key(3), 10), ...permutation(key(5), 20), sum(drawn), dot(drawn, drawn)];
