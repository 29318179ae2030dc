// Runs an exported file on the inputs that the server gives, one after another. See arrays.py and server.py.
const ARRAYS = { uint8: Uint8Array, int64: BigInt64Array, float32: Float32Array, bool: Uint8Array };
const LENGTH = 4;

function decode(message) {
  const length = new DataView(message).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(message, LENGTH, length)));
  let start = LENGTH + length;
  for (const entry of header.arrays) {
    entry.data = new ARRAYS[entry.type](message.slice(start, start + entry.bytes));
    start += entry.bytes;
  }
  return header;
}

function encode(fields, tensors) {
  const arrays = Object.entries(tensors).map(([name, tensor]) => ({
    name, type: tensor.type, shape: tensor.dims, bytes: tensor.data.byteLength,
  }));
  const header = new TextEncoder().encode(JSON.stringify({ ...fields, arrays }));
  const length = new DataView(new ArrayBuffer(LENGTH));
  length.setUint32(0, header.length, true);
  return new Blob([length, header, ...Object.values(tensors).map((tensor) => tensor.data)]);
}

async function runAll() {
  const settings = await (await fetch("settings.json")).json();
  const ort = await import(`./ort/${settings.script}`);
  ort.env.wasm.wasmPaths = new URL("./ort/", location.href).href;
  ort.env.wasm.numThreads = self.crossOriginIsolated ? settings.threads : 1;
  ort.env.logLevel = "error";
  const session = await ort.InferenceSession.create("model.onnx", { executionProviders: ["wasm"] });
  for (;;) {
    const response = await fetch("job");
    if (response.status === 204) continue;
    if (!response.ok) return;
    const job = decode(await response.arrayBuffer());
    const feeds = {};
    for (const { name, type, data, shape } of job.arrays) feeds[name] = new ort.Tensor(type, data, shape);
    const start = performance.now();
    const found = await session.run(feeds, job.outputs);
    const milliseconds = performance.now() - start;
    const agent = navigator.userAgent;
    const fields = { milliseconds, threads: ort.env.wasm.numThreads, agent };
    await fetch("result", { method: "POST", body: encode(fields, found) });
  }
}

try {
  await runAll();
} catch (error) {
  await fetch("error", { method: "POST", body: String(error?.message ?? error) });
}
