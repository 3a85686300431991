/* Compiles a small network with an empty or shared cache and prints its loss: node --import tsx native-child.ts CACHE_FOLDER */
import { NativeEngine } from '../../src/engines/native/index.js';
import { smallNetwork } from './small-network.js';

const { graph, theta, feeds } = smallNetwork();
const program = await new NativeEngine({ cacheFolder: process.argv[2]! }).compile(graph);
program.load(theta);
console.log(await program.run(feeds));
