/** Every way of calling back and of failing to. Source: contract.md, sections 2.2 to 2.4. */

import { equal, matches } from "./assert.js";
import { once, start } from "./worker.js";

const USER = { nickname: "before" };
const CONTEXT = { request: { ip: "192.0.2.1" }, userPoolId: "p" };
const ASYNC = "async function pipe(user, context, callback)";

/** what the function does, its outcome, and parts of what comes of it */
const FORMS = [
  ["callback(null, user, context)", "ok", {}],
  ["callback()", "ok", {}],
  ["callback(null)", "ok", {}],
  ["user.nickname = 'x'; callback(null)", "ok", { user: { nickname: "x" } }],
  ["callback(undefined, undefined, undefined)", "ok", {}],
  ["callback(null, context)", "ok", {}],
  ["context.n = 1; callback(null, context)", "ok", { context: { ...CONTEXT, n: 1 } }],
  ["callback(null, { ...context, n: 1 })", "ok", { context: { ...CONTEXT, n: 1 } }],
  ["callback(null, { connection: 'x' })", "ok", { context: { connection: "x" } }],
  ["callback(null, { userPoolId: 'x' })", "ok", { context: { userPoolId: "x" } }],
  ["callback(null, { ...user, nickname: 'copy', userPoolId: 'x', customData: {} })", "ok", {
    user: { nickname: "copy", customData: {} },
  }],
  ["callback(null, user)", "ok", {}],
  ["callback(null, { nickname: 'x' })", "ok", { user: { nickname: "x" } }],
  ["callback(null, null, { request: 1 })", "ok", { context: { request: 1 } }],
  ["callback(null, undefined, { request: 1 })", "ok", { context: { request: 1 } }],
  ["callback(null, { nickname: undefined, photo: null }, context)", "ok", { user: { photo: null } }],
  ["callback(null, { at: new Date(0), f() {}, s: Symbol() }, context)", "ok", {
    user: { at: "1970-01-01T00:00:00.000Z" },
  }],
  ["callback(null, Object.freeze(user), context)", "ok", {}],
  ["callback(null, new Proxy({ nickname: 'p' }, {}), context)", "ok", { user: { nickname: "p" } }],
  ["callback(new Error('Access denied.'))", "denied", { message: "Access denied." }],
  ["callback('no entry')", "denied", { message: "no entry" }],
  ["callback({ message: 'no', code: 1 })", "denied", { message: "no" }],
  ["callback({ code: 1 })", "denied", { message: '{"code":1}' }],
  ["callback(false)", "denied", { message: "false" }],
  ["callback(0, user, context)", "denied", { message: "0" }],
  ["callback(Object.create(null, { message: { get() { throw 1 } } }))", "denied", {
    message: "an error that cannot be read",
  }],
  ["callback('x'.repeat(5000))", "denied", { message: "x".repeat(1023) + "…" }],
  ["throw new Error('boom')", "threw", { message: "boom" }],
  ["throw 'text'", "threw", { message: "text" }],
  ["throw undefined", "threw", { message: "undefined" }],
  ["await null; throw new TypeError('later')", "threw", { message: "later" }],
  ["setTimeout(() => { throw new Error('in a timer') }, 1)", "threw", { message: "in a timer" }],
  ["setTimeout(() => Promise.reject(new Error('floating')), 1); await new Promise(() => {})", "threw", {
    message: "floating",
  }],
  ["process.nextTick(() => { throw new Error('tick') }); await new Promise(() => {})", "threw", { message: "tick" }],
  ["queueMicrotask(() => { throw new Error('micro') }); await new Promise(() => {})", "threw", { message: "micro" }],
  ["new ArrayBuffer(2 ** 42)", "memory_exceeded", { message: "Array buffer allocation failed" }],
  ["return", "no_callback", { message: "the function ended without calling back" }],
  ["await null", "no_callback", {}],
  ["setTimeout(() => {}, 5)", "no_callback", {}],
  ["setTimeout(() => callback(null, user, context), 5)", "ok", {}],
  ["setImmediate(() => callback(null, user, context))", "ok", {}],
  ["process.nextTick(() => callback(null, user, context))", "ok", {}],
  ["queueMicrotask(() => callback(null, user, context))", "ok", {}],
  ["require('crypto').pbkdf2('a', 'b', 1000, 32, 'sha256', () => callback(null, user, context))", "ok", {}],
  ["crypto.subtle.digest('SHA-256', new Uint8Array(1)).then(() => callback())", "ok", {}],
  ["require('zlib').gzip('x', () => callback(null, user, context))", "ok", {}],
  ["callback(null, 1, context)", "bad_result", { message: "user must be an object, not a number" }],
  ["callback(null, user, 'x')", "bad_result", { message: "context must be an object, not a string" }],
  ["callback(null, [], context)", "bad_result", { message: "user must be an object, not an array" }],
  ["callback(null, user, () => {})", "bad_result", { message: "context must be an object, not a function" }],
  ["callback(null, 'alone')", "bad_result", {
    message: "the value passed to callback must be an object, not a string",
  }],
  ["user.self = user; callback(null, user, context)", "bad_result", {
    message: "user or context contains itself or nests deeper than 32 levels",
  }],
  ["user.n = 1n; callback(null, user, context)", "bad_result", {
    message: "user or context contains a BigInt, which JSON has no form for",
  }],
  ["user.s = 'x'.repeat(1e8); callback(null, user, context)", "bad_result", {
    message: "user and context together are larger than 500 KiB of JSON",
  }],
  ["let a = {}; for (let i = 0; i < 30; i++) a = { l: a, r: a }; callback(null, { a }, context)", "bad_result", {
    message: "user and context together are larger than 500 KiB of JSON",
  }],
  ["user.b = new Uint8Array(3e6); callback(null, user, context)", "bad_result", {
    message: "user and context together are larger than 500 KiB of JSON",
  }],
  ["user.s = 'ü'.repeat(300000); callback(null, user, context)", "bad_result", {
    message: "user and context together are larger than 500 KiB of JSON",
  }],
  ["user.half = 'a\\ud83d'; callback(null, user, context)", "bad_result", {
    message: "user contains half of a character (a lone surrogate)",
  }],
  ["user.text = '\\\\ud83d'; callback(null, user, context)", "ok", { user: { nickname: "before", text: "\\ud83d" } }],
  ["callback('a\\ud83d')", "denied", { message: "a\ufffd" }],
  ["user.toJSON = () => 5; callback(null, user, context)", "bad_result", { message: "user is not an object" }],
  ["user.toJSON = () => { throw new Error('never') }; callback(null, user, context)", "bad_result", {
    message: "user cannot be turned into JSON: never",
  }],
  ["callback(null, new Proxy({}, { ownKeys() { throw new Error('trap') } }), context)", "bad_result", {
    message: "user or context cannot be read: trap",
  }],
];

Deno.test("the forms of callback", async (t) => {
  await using worker = await start();
  let number = 0;
  for (const [code, outcome, expected] of FORMS) {
    await t.step(code.slice(0, 70), async () => {
      const source = `${ASYNC} { ${code} }`;
      const step = { source, functionId: `form${++number}` };
      const run = await worker.run([step], { user: USER, context: CONTEXT, number, plan: number });
      equal(run.outcome, outcome, JSON.stringify(run.last));
      if ("message" in expected) equal(run.last.message, expected.message);
      if (outcome === "ok") equal(run.user, expected.user ?? USER);
      if (outcome === "ok") equal(run.context, expected.context ?? CONTEXT);
      equal(run.result.settling, false);
    });
  }
});

/** declared parameters, source, what `seen` must be */
const SIGNATURES = [
  [null, "function pipe(context, callback) { callback(null, { ...context, seen: 2 }) }", 2],
  [2, "function pipe(context, callback = null) { callback(null, { ...context, seen: 2 }) }", 2],
  [null, "function pipe(context, callback) { context.seen = 2; callback(null) }", 2],
  [2, "const pipe = (context, callback) => callback(null, { seen: 2 })", 2],
  [3, "const pipe = async (...all) => { all[1].seen = all.length; all[2](null, all[0], all[1]) }", 3],
  [null, "var pipe = function (u, c, cb) { c.seen = 3; cb(null, u, c) }", 3],
  [null, "exports.pipe = (u, c, cb) => { c.seen = 3; cb(null, u, c) }", 3],
  [null, "module.exports = (u, c, cb) => { c.seen = 3; cb(null, u, c) }", 3],
  [null, "pipe = (u, c, cb) => { c.seen = 3; cb(null, u, c) }", 3],
  [null, "'use strict'; function pipe(u, c, cb) { c.seen = typeof this; cb(null, u, c) }", "undefined"],
  [3, "class A { static run(u, c, cb) { c.seen = 3; cb(null, u, c) } }\nlet pipe = A.run // a comment", 3],
];

Deno.test("declared parameters decide what pipe is called with", async (t) => {
  await using worker = await start();
  let number = 0;
  for (const [parameters, source, seen] of SIGNATURES) {
    await t.step(source, async () => {
      const step = { source, parameters, functionId: `signature${++number}` };
      const run = await worker.run([step], { context: { request: {} }, number, plan: number });
      equal([run.outcome, run.context?.seen], ["ok", seen]);
    });
  }
});

Deno.test("the first completion wins, the rest is a warning", async () => {
  const after = [
    ["callback(null, user, context); callback('second')", "callback was called again; only the first call counts"],
    ["callback(null, user, context); throw new Error('late')", "failed after its callback: late"],
    ["callback(null, user, context); await null; throw new Error('later')", "failed after its callback: later"],
  ];
  for (const [code, warning] of after) {
    const run = await once(`${ASYNC} { ${code} }`);
    equal([run.outcome, run.warnings], ["ok", [warning]]);
  }
});

Deno.test("what is changed after the callback does not count", async () => {
  const run = await once(`${ASYNC} { callback(null, user, context); user.late = 1; context.late = 1 }`);
  equal([run.user, run.context], [{}, { request: {} }]);
});

Deno.test("top-level code that throws ends the run, now and later, and runs once", async () => {
  await using worker = await start();
  const source = "globalThis.count = (globalThis.count || 0) + 1;\nthrow new Error('at load ' + count)";
  const first = await worker.run(source);
  const second = await worker.run(null, { number: 2 });
  equal([first.outcome, first.last.message], ["threw", "top-level code threw: at load 1"]);
  equal([second.outcome, second.last.message], ["threw", "top-level code threw: at load 1"]);
});

Deno.test("without a function called pipe the step threw, and no other function's pipe stands in", async () => {
  const run = await once(["pipe = (u, c, cb) => cb()", "var other = 1"]);
  equal([run.last.step, run.outcome, run.last.message], [1, "threw", "there is no function called pipe"]);
});

Deno.test("a broken step threw with its reason", async () => {
  const run = await once([{ source: "x", broken: "line 1, column 1: no" }]);
  equal([run.outcome, run.last.message], ["threw", "line 1, column 1: no"]);
});

Deno.test("detail names the function's own lines and columns, and nothing of ours", async () => {
  const source =
    "function deep() {\n  throw new Error('x')\n}\nasync function pipe(user, context, callback) {\n  deep()\n}";
  const { detail } = (await once([{ source, name: "my first/../function" }])).last;
  equal(detail, "Error: x\n    at deep (my_first____function.js:2:9)\n    at pipe (my_first____function.js:5:3)");
});

Deno.test("time runs out inside for what waits, and nothing is served after", async () => {
  await using worker = await start();
  const source = `${ASYNC} { setInterval(() => log('tick'), 1); await new Promise(() => {}) }`;
  const run = await worker.run([{ source, timeout: 60 }]);
  equal([run.outcome, run.last.message], ["timed_out", "the function did not call back within 0.06 s"]);
  matches(JSON.stringify(run.last.ms), /^\d{2,3}(\.\d+)?$/);
  const before = worker.frames.length;
  await worker.send("RUN", { run: 2, plan: 1, from: 0, user: {}, context: {} });
  const silence = await Promise.race([worker.next(), new Promise((done) => setTimeout(done, 100, "nothing"))]);
  equal([silence, worker.frames.length], ["nothing", before]);
});
