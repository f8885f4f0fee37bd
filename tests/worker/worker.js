/** A real worker process spoken to in frames, for tests. */

const PROGRAM = new URL("../../src/authpipe/runtime/worker/main.js", import.meta.url).pathname;
const FLAGS = [
  ..."--quiet --no-prompt --no-remote --no-npm --cached-only --no-config --no-lock --no-code-cache".split(" "),
  "--allow-env",
  "--v8-flags=--jitless,--max-old-space-size=64",
];
export const TYPES = {
  LOAD: 1,
  RUN: 2,
  START_MARK: 3,
  LOG: 4,
  HOST_CALL_OPEN: 5,
  HOST_CALL_CHUNK: 6,
  HOST_CALL_CREDIT: 7,
  HOST_CALL_END: 8,
  RESULT: 9,
  CANCEL: 10,
  READY: 11,
  CHECK: 12,
  CHECKED: 13,
};
const NAMES = Object.fromEntries(Object.entries(TYPES).map(([name, type]) => [type, name]));

/** Bytes of one frame. */
export function frame(type, payload) {
  const body = payload instanceof Uint8Array ? payload : new TextEncoder().encode(JSON.stringify(payload));
  const bytes = new Uint8Array(body.length + 6);
  new DataView(bytes.buffer).setUint32(0, body.length + 2);
  bytes.set([1, TYPES[type]], 4);
  bytes.set(body, 6);
  return bytes;
}

/** A plan as Load frames have it; `sources` are texts or partial steps. */
export function plan(sources, more = {}) {
  const list = Array.isArray(sources) ? sources : [sources];
  return {
    plan: 1,
    scene: "POST_AUTHENTICATION",
    environment: { KEY: "value" },
    accumulators: ["customData", "customDataOnce", "decryptedToken"],
    readOnly: ["id", "userPoolId", "identities"],
    logLines: 200,
    logBytes: 65536,
    ...more,
    settings: { timeZone: "UTC", runsPerWorker: 1, ...more.settings },
    steps: list.map((each, index) => ({
      functionId: `f${index}`,
      name: `step ${index}`,
      revision: 1,
      source: "",
      parameters: null,
      asynchronous: false,
      timeout: 5000,
      skips: false,
      broken: null,
      ...(typeof each === "string" ? { source: each } : each),
    })),
  };
}

/** One worker process. Use with `await using`. */
export class Worker {
  #child;
  #writer;
  #reader;
  #bytes = new Uint8Array(0);
  /** every frame received so far: {type, body} */
  frames = [];
  /** answers to host calls by number of arrival; a function of the frame, or nothing to leave it open */
  onCall = null;

  constructor() {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", ...FLAGS, PROGRAM],
      clearEnv: true,
      env: { DENO_DIR: "/nonexistent", NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.getReader();
  }

  async send(type, payload) {
    await this.#writer.write(frame(type, payload));
  }

  /** Raw bytes. */
  async write(bytes) {
    await this.#writer.write(bytes);
  }

  async closeInput() {
    await this.#writer.close();
  }

  /** The next frame; throws at the end of the worker's output. */
  async next() {
    for (;;) {
      const found = this.#cut();
      if (found) return found;
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("the worker has ended");
      const joined = new Uint8Array(this.#bytes.length + value.length);
      joined.set(this.#bytes);
      joined.set(value, this.#bytes.length);
      this.#bytes = joined;
    }
  }

  #cut() {
    const bytes = this.#bytes;
    if (bytes.length < 6) return null;
    const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) + 4;
    if (bytes.length < size) return null;
    this.#bytes = bytes.slice(size);
    const text = new TextDecoder().decode(bytes.subarray(6, size));
    const found = { type: NAMES[bytes[5]], body: JSON.parse(text), text };
    this.frames.push(found);
    return found;
  }

  /** Frames up to and with the next one of `type`. Host calls on the way are answered by `onCall`. */
  async until(type) {
    const seen = [];
    for (;;) {
      const found = await this.next();
      seen.push(found);
      if (found.type === "HOST_CALL_OPEN" && this.onCall) {
        const answer = this.onCall(found.body);
        if (answer) await this.send("HOST_CALL_END", { call: found.body.call, ...answer });
      }
      if (found.type === type) return seen;
    }
  }

  /** Loads and runs; what came back. */
  async run(sources, { user = {}, context = { request: {} }, number = 1, from = 0, removed, ...more } = {}) {
    if (sources !== null) await this.send("LOAD", plan(sources, more));
    await this.send("RUN", { run: number, plan: more.plan ?? 1, from, user, context, removed });
    return new Outcome(await this.until("RESULT"));
  }

  async [Symbol.asyncDispose]() {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#writer.close().catch(() => {});
    await this.#reader.cancel();
    await this.#child.status;
  }

  /** How the process ended. */
  get status() {
    return this.#child.status;
  }
}

/** A run as its frames tell it. */
class Outcome {
  constructor(frames) {
    this.frames = frames;
    this.result = frames.at(-1).body;
    this.last = this.result.last;
    this.outcome = this.last?.outcome;
    this.user = this.result.user;
    this.context = this.result.context;
    this.marks = frames.filter((each) => each.type === "START_MARK").map((each) => each.body);
    this.lines = frames.filter((each) => each.type === "LOG").map((each) => each.body);
    this.logs = this.lines.filter((each) => each.kind === "log").map((each) => each.args);
    this.warnings = this.lines.filter((each) => each.kind === "warning").map((each) => each.args.join(" "));
  }
}

/** A ready worker, or one that ran `sources` already. */
export async function start() {
  const worker = new Worker();
  await worker.until("READY");
  return worker;
}

/** One run in a worker of its own. */
export async function once(sources, options) {
  await using worker = await start();
  return await worker.run(sources, options);
}
