import { sharedFrom } from './shared.js';
import type { Dataset, Examples } from './types.js';

/** The data set as engines take it that compute in float32: float64 inputs and targets are rounded. */
export function narrowed(dataset: Dataset): Dataset {
  const { train, validation, test } = dataset.splits;
  return {
    ...dataset,
    splits: { train: narrow(train), validation: narrow(validation), test: narrow(test) },
  };
}

function narrow(examples: Examples): Examples {
  const { inputs, labels } = examples;
  const rounded = (values: Float64Array) => sharedFrom(new Float32Array(0), values);
  return {
    ...examples,
    inputs: inputs instanceof Float64Array ? rounded(inputs) : inputs,
    labels: labels instanceof Float64Array ? rounded(labels) : labels,
  };
}
