/** Tenant code that tampers with what the worker program is built on; control frames stay right. */

import { equal, yes } from "./assert.js";
import { frame, plan, start } from "./worker.js";

const ASYNC = "async function pipe(user, context, callback)";

/** code that runs once at top level, then honest functions must still get right answers */
const ATTACKS = {
  "patched JSON": "JSON.stringify = () => 'evil'; JSON.parse = () => ({ run: 99 })",
  "patched Array.prototype.push": "Array.prototype.push = function () { return 0 }",
  "patched array iterator": "Array.prototype[Symbol.iterator] = function* () { yield 'evil' }",
  "patched Promise.prototype.then": "Promise.prototype.then = function () { return this }",
  "patched Promise constructor": "Object.defineProperty(Promise, Symbol.species, { get() { throw 1 } })",
  "Object.prototype.then": "Object.prototype.then = function (done) { done('evil') }",
  "Object.prototype.get": "Object.prototype.get = () => 'evil'",
  "Object.prototype setters":
    "for (const name of 'run step user context removed last previous number text at kept'.split(' ')) " +
    "Object.defineProperty(Object.prototype, name, { configurable: true, set() {}, get() { return 'evil' } })",
  "array index setters":
    "for (const i of [0, 1, 2]) Object.defineProperty(Array.prototype, i, { configurable: true, set() {} })",
  "patched Function.prototype":
    "Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => 'evil'",
  "patched Reflect": "Reflect.apply = () => 'evil'; Reflect.has = () => true",
  "patched Object": "Object.keys = () => ['evil']; Object.assign = Object.create = Object.hasOwn = () => 'evil'",
  "patched Map and Set": "Map.prototype.get = Set.prototype.add = Set.prototype.delete = () => 'evil'",
  "patched WeakMap": "WeakMap.prototype.get = WeakMap.prototype.set = () => 'evil'",
  "patched String":
    "String.prototype.slice = String.prototype.indexOf = () => 'evil'; globalThis.String = () => 'evil'",
  "patched typed arrays": "Uint8Array.prototype.subarray = Uint8Array.prototype.set = () => 'evil'; " +
    "Object.defineProperty(Object.getPrototypeOf(Uint8Array.prototype), 'length', { get: () => 1 })",
  "patched encoders": "TextEncoder.prototype.encodeInto = TextDecoder.prototype.decode = () => 'evil'",
  "patched timers": "setTimeout = clearTimeout = setImmediate = () => 'evil'",
  "patched Math and Number": "Math.round = Math.max = () => 'evil'; Number.prototype.toString = () => 'evil'",
  "patched performance": "performance.now = () => 'evil'; Date.now = () => 'evil'",
  "patched errors":
    "Error.prepareStackTrace = () => 'evil'; Error.prototype.toString = () => 'evil'; globalThis.Error = 1",
  "replaced globals": "globalThis.Promise = globalThis.Proxy = globalThis.Symbol = globalThis.Uint8Array = 1",
};

const HONEST = [
  "function pipe(user, context, callback) { user.n = 2; log('a'); callback(null, user, context) }",
  `${ASYNC} { await 0; user.removeToken('t'); callback(null, user, context) }`,
  `${ASYNC} { throw { message: 'm' } }`,
];

/** What of a run of the honest functions must be right. */
function checkHonest(run, number) {
  equal([run.result.run, run.last.step, run.outcome, run.last.message], [number, 2, "threw", "m"]);
  equal(run.logs, [["a"]]);
  const checkpoint = run.marks.findLast(({ user }) => user);
  equal([checkpoint.user, checkpoint.context], [{ n: 2 }, { c: 1 }]);
  equal(checkpoint.removed.loginToken, ["t"]);
}

Deno.test("control frames survive", async (t) => {
  for (const [name, code] of Object.entries(ATTACKS)) {
    await t.step(name, async () => {
      await using worker = await start();
      const honest = (kind) => HONEST.map((source, index) => ({ source, functionId: `${kind}${index}` }));
      const values = { user: { n: 1 }, context: { c: 1 } };
      checkHonest(await worker.run(honest("old"), { ...values, number: 1, plan: 1 }), 1);
      const source = `${code}; ${ASYNC} { callback(null, user, context) }`;
      const attack = await worker.run([{ source, functionId: "attack" }], { ...values, number: 2, plan: 2 });
      equal(attack.outcome, "ok", JSON.stringify(attack.last));
      checkHonest(await worker.run(null, { ...values, number: 3, plan: 1 }), 3);
      // Deno's own loader fills an array by index, so there the new source is refused instead.
      const fresh = await worker.run(honest("new"), { ...values, number: 4, plan: 4 });
      if (name === "array index setters") equal([fresh.result.run, fresh.outcome], [4, "threw"]);
      else checkHonest(fresh, 4);
    });
  }
});

Deno.test("Object.prototype.toJSON changes the tenant's own values, never a control frame", async () => {
  await using worker = await start();
  const run = await worker.run([
    `Object.prototype.toJSON = function () { return { evil: 1 } }; ${ASYNC} { log('a'); callback(null, user, context) }`,
    `${ASYNC} { throw new Error('b') }`,
  ]);
  equal([run.result.run, run.result.last.step, run.result.last.message], [1, 1, "b"]);
  equal(run.marks.map(({ run, step }) => [run, step]), [[1, 0], [1, 0], [1, 1], [1, 1]]);
});

Deno.test("frames are cut right, however they arrive", async () => {
  await using worker = await start();
  const all = [frame("LOAD", plan(`${ASYNC} { callback(null, user, context) }`))];
  const text = "é".repeat(200_000);
  for (let run = 1; run <= 3; run++) all.push(frame("RUN", { run, plan: 1, from: 0, user: { text }, context: {} }));
  const bytes = new Uint8Array(await new Blob(all).arrayBuffer());
  const writing = (async () => {
    for (let at = 0; at < bytes.length; at += 99_991) await worker.write(bytes.subarray(at, at + 99_991));
  })();
  for (let run = 1; run <= 3; run++) {
    const { body } = (await worker.until("RESULT")).at(-1);
    equal([body.run, body.user.text === text], [run, true]);
  }
  await writing;
});

Deno.test("the process ends with its input", async () => {
  await using worker = await start();
  await worker.run(`${ASYNC} { setInterval(() => {}, 1); callback() }`);
  await worker.closeInput();
  equal((await worker.status).code, 0);
});

Deno.test("a function that ends the process ends the worker", async () => {
  await using worker = await start();
  await worker.send("LOAD", plan(`${ASYNC} { process.exit(3) }`));
  await worker.send("RUN", { run: 1, plan: 1, from: 0, user: {}, context: {} });
  const { code } = await worker.status;
  yes(code === 3);
});
