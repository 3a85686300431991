import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { encodeModel } from '../../onnx/protobuf/encode.js';
import type { Availability } from '../types.js';
import { opset } from '../../onnx/standard/emitter.js';
import type { Provider } from './runtime.js';
import { firstLine, loadProblem, loadRuntime, runtimePath } from './runtime.js';

/** Whether ONNX Runtime can run on this provider here; if not, why, and what would help. */
export async function availabilityOf(provider: Provider): Promise<Availability> {
  let detail: string;
  try {
    const runtime = loadRuntime();
    detail = `onnxruntime-node ${runtime.env.versions.node ?? ''}`;
    const built = runtime.listSupportedBackends().some(({ name }) => name === provider);
    if (!built)
      return { ok: false, reason: `${detail} for ${process.platform} ${process.arch} has no ${provider}` };
  } catch (error) {
    return { ok: false, reason: loadProblem(error) };
  }
  if (provider === 'cpu') return { ok: true, detail };
  const problem = await probe(provider);
  return problem === null ? { ok: true, detail } : { ok: false, reason: `${problem}; ${advice[provider]}` };
}

const advice: Readonly<Record<Exclude<Provider, 'cpu'>, string>> = {
  webgpu:
    'it needs a GPU driver (on Linux: Vulkan and its loader libvulkan.so.1); a software driver can be named in VK_DRIVER_FILES',
  cuda: "it needs an NVIDIA GPU, CUDA 12, and the provider's library, which onnxruntime-node's install script fetches",
};

/** Runs one addition on the provider. Arguments: path of the package, provider, model in base64. */
const probeScript = `
const [path, provider, model] = process.argv.slice(1);
const { env, InferenceSession, Tensor } = require(path);
env.logLevel = 'fatal';
const options = { executionProviders: [provider], logSeverityLevel: 4 };
InferenceSession.create(Buffer.from(model, 'base64'), options)
  .then((session) => session.run({ x: new Tensor('float32', [1], [1]) }))
  .then(() => process.exit(0), (error) => process.stdout.write(String(error.message), () => process.exit(1)));
`;

function probeModel(): string {
  const tensor = (name: string) => ({ name, dtype: 'float32', shape: [1] }) as const;
  const bytes = encodeModel({
    name: 'probe',
    opset,
    inputs: [tensor('x')],
    outputs: [tensor('y')],
    initializers: [],
    nodes: [{ op: 'Add', name: 'add', inputs: ['x', 'x'], outputs: ['y'], attributes: {} }],
  });
  return Buffer.from(bytes).toString('base64');
}

/** What is wrong with the provider, or null. In a process of its own: a graphics driver may abort the one that calls it. */
async function probe(provider: Provider): Promise<string | null> {
  const args = ['--eval', probeScript, runtimePath()!, provider, probeModel()];
  try {
    await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
    return null;
  } catch (error) {
    const { stdout, signal } = error as { stdout?: string; signal?: string };
    if (signal) return `${provider} ended its process by ${signal}`;
    return (
      (stdout ?? '')
        .trim()
        .split('\n')[0]!
        .replace(/^\/\S+.*? was false\. /, '') || firstLine(error)
    );
  }
}
