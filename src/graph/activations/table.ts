import type { Activation } from './define.js';
import { activation } from './define.js';
import {
  add,
  clipped,
  dy,
  errorFunction,
  exponential,
  exponentialLessOne,
  ifGreater,
  logarithmOfOneMore,
  maximum,
  negate,
  over,
  sigmoid,
  subtract,
  tanh,
  times,
  x,
  y,
} from './formula.js';

const elu = (alpha: number) => ({
  value: ifGreater(x, 0, x, times(exponentialLessOne(x), alpha)),
  gradient: ifGreater(x, 0, dy, times(dy, times(exponential(x), alpha))),
});

/** 1 + erf(x / √2) */
const tailedness = add(1, errorFunction(over(x, Math.SQRT2)));
const bell = times(x, exponential(times(times(x, x), -0.5)));

/** x Φ(x), with the cumulative function of the normal distribution. */
const exactGelu = {
  value: times(over(x, 2), tailedness),
  gradient: times(dy, add(over(tailedness, 2), over(bell, Math.sqrt(2 * Math.PI)))),
};

const cubic = 0.044715;
const scale = Math.sqrt(2 / Math.PI);
/** tanh(√(2/π) · (x + 0.044715 x³)) */
const bent = tanh(times(times(x, add(1, times(times(x, x), cubic))), scale));
const rise = times(subtract(1, times(bent, bent)), scale);

const tanhGelu = {
  value: times(over(x, 2), add(1, bent)),
  gradient: times(
    dy,
    add(over(add(1, bent), 2), times(over(x, 2), times(rise, add(1, times(times(x, x), 3 * cubic))))),
  ),
};

/**
 * The activations: everything that the graph, its gradients, the engines and ONNX files know of them follows from here. Where
 * one has no derivative, the gradient is PyTorch's. The gradient chooses dy rather than multiplying it by 0, so that an
 * infinite dy gives no NaN.
 */
export const activations: ReadonlyMap<string, Activation> = new Map(
  Object.entries({
    Relu: activation({}, () => ({ value: maximum(0, x), gradient: ifGreater(y, 0, dy, 0) })),

    LeakyRelu: activation({ alpha: 0.01 }, ({ alpha }) => ({
      value: ifGreater(0, x, times(alpha, x), x),
      gradient: ifGreater(x, 0, dy, times(alpha, dy)),
    })),

    ThresholdedRelu: activation({ alpha: 1 }, ({ alpha }) => ({
      value: ifGreater(x, alpha, x, 0),
      gradient: ifGreater(x, alpha, dy, 0),
    })),

    Elu: activation({ alpha: 1 }, ({ alpha }) => elu(alpha)),

    Selu: activation(
      { alpha: 1.67326319217681884765625, gamma: 1.05070102214813232421875 },
      ({ alpha, gamma }) => ({
        value: times(elu(alpha).value, gamma),
        gradient: times(elu(alpha).gradient, gamma),
      }),
    ),

    HardSigmoid: activation({ alpha: 0.2, beta: 0.5 }, ({ alpha, beta }) => {
      const line = add(times(x, alpha), beta);
      return {
        value: clipped(line, 0, 1),
        gradient: ifGreater(line, 0, ifGreater(1, line, times(dy, alpha), 0), 0),
      };
    }),

    HardSwish: activation({}, () => ({
      value: times(x, clipped(add(over(x, 6), 0.5), 0, 1)),
      gradient: ifGreater(x, -3, ifGreater(3, x, times(dy, add(over(x, 3), 0.5)), dy), 0),
    })),

    Gelu: activation({ approximate: ['none', 'tanh'] }, ({ approximate }) =>
      approximate === 'tanh' ? tanhGelu : exactGelu,
    ),

    Clip: activation(
      { min: -Infinity, max: Infinity },
      ({ min, max }) => ({
        // Of bounds the wrong way round, the upper one holds.
        value: clipped(x, Math.min(min, max), max),
        gradient: ifGreater(min, x, 0, ifGreater(x, max, 0, dy)),
      }),
      { asInputs: true },
    ),

    Tanh: activation({}, () => ({ value: tanh(x), gradient: times(dy, subtract(1, times(y, y))) })),

    Sigmoid: activation({}, () => ({
      value: sigmoid(x),
      gradient: times(dy, times(y, subtract(1, y))),
    })),

    /** log(1 + e^x) without overflow. */
    Softplus: activation({}, () => ({
      value: add(maximum(0, x), logarithmOfOneMore(exponential(negate(maximum(negate(x), x))))),
      gradient: times(dy, sigmoid(x)),
    })),
  }),
);
