import { applyUpdate, createOptimizer, createUpdate } from 'lossledger/optim';

const tensors = [{ name: 'w', size: 3 }];
const optimizer = createOptimizer({ name: 'sgd', learningRate: 0.1, momentum: 0.9 }, tensors);
const update = createUpdate(3);
const theta = Float32Array.of(1, -2, 3);
let state = optimizer.createState();
const rows = [];
for (let t = 0; t < 4; t++) {
  state = optimizer.step(
    state,
    theta,
    Float64Array.from(theta, (value) => 4 * value),
    update,
  );
  applyUpdate(theta, update, theta);
  rows.push([...theta]);
}

export default [rows, state.step, [...state.slots.velocity]];
