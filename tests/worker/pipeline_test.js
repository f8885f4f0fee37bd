/** Marks, checkpoints, hops, skips, queueing ahead and settling. */

import { equal } from "./assert.js";
import { once, plan, start } from "./worker.js";

const PASS = "async function pipe(user, context, callback) { callback(null, user, context) }";
const ASYNC = "async function pipe(user, context, callback)";

Deno.test("an empty plan answers with user and context and no report", async () => {
  const run = await once([], { user: { a: 1 }, context: { b: 2 } });
  equal(run.result, { run: 1, user: { a: 1 }, context: { b: 2 }, settling: false });
});

Deno.test("a source is announced while it loads, once per worker and revision", async () => {
  await using worker = await start();
  const first = await worker.run([PASS, { source: PASS, functionId: "f0" }]);
  equal(first.marks.map(({ step, loading }) => [step, loading ?? false]), [[0, true], [0, false], [1, false]]);
  const again = await worker.run([PASS], { number: 2, plan: 2, scene: "POST_REGISTER" });
  equal(again.marks, [{ run: 2, step: 0 }]);
  const revised = await worker.run([{ source: PASS, revision: 2 }], { number: 3, plan: 3 });
  equal(revised.marks[0], { run: 3, step: 0, loading: true });
});

Deno.test("the first mark of a later step carries report and checkpoint, the first step's does not", async () => {
  const run = await once([`${ASYNC} { user.n = 1; user.removeToken('t'); callback(null, user, context) }`, PASS]);
  const [first, call, second, last] = run.marks;
  equal([first, call], [{ run: 1, step: 0, loading: true }, { run: 1, step: 0 }]);
  const { last: { ms, ...report }, ...mark } = second;
  equal(typeof ms, "number");
  equal(report, { step: 0, outcome: "ok" });
  const removed = { idToken: [], accessToken: [], loginToken: ["t"] };
  equal(mark, { run: 1, step: 1, loading: true, user: { n: 1 }, context: { request: {} }, removed });
  equal(last, { run: 1, step: 1 });
  equal(run.result.removed, removed);
});

Deno.test("a run may start at any step, with removals of the steps before", async () => {
  const removed = { idToken: [], accessToken: [], loginToken: ["old", "older"] };
  const source = `${ASYNC} { user.addToken('old', 1); callback(null, user, context) }`;
  const run = await once(["throw 1", source], { from: 1, removed, user: { decryptedToken: {} } });
  equal([run.last.step, run.outcome], [1, "ok"]);
  equal(run.result.removed.loginToken, ["older"]);
});

Deno.test("values pass from step to step as JSON, sharing nothing", async () => {
  const run = await once([
    `let kept; ${ASYNC} { user.when = new Date(0); user.none = undefined; user.list = context.list = [1];
       globalThis.leak = user; callback(null, user, context) }`,
    `${ASYNC} { log(typeof user.when, 'none' in user, user === leak, user.list === context.list, typeof user.addToken);
       callback(null, user, context) }`,
  ]);
  equal(run.logs, [["string", false, false, false, "function"]]);
});

Deno.test("a step that never calls back is skipped when it may be, with the values from before it", async () => {
  const silent = { source: `${ASYNC} { user.touched = 1; user.removeToken('t') }`, skips: true };
  const see = `${ASYNC} { log(user); callback(null, user, context) }`;
  for (const sources of [[silent, see], [PASS, silent, see], [silent, silent, see]]) {
    const run = await once(sources, { user: { a: 1 } });
    equal([run.outcome, run.user, run.logs], ["ok", { a: 1 }, [[{ a: 1 }]]]);
    equal(run.marks.findLast(({ last }) => last).last.outcome, "no_callback");
    equal(run.result.removed, undefined);
  }
  const last = await once([silent], { user: { a: 1 } });
  equal([last.outcome, last.user], ["no_callback", { a: 1 }]);
});

Deno.test("an asynchronous step is marked with what it will see, and not called", async () => {
  const change = `${ASYNC} { user.n = 1; callback(null, user, context) }`;
  const queued = { source: "throw new Error('called')", asynchronous: true };
  const run = await once([queued, change, queued, PASS]);
  equal(run.marks[0], { run: 1, step: 0 });
  const mark = run.marks.find(({ step }) => step === 2);
  equal([mark.user, mark.last.step, run.outcome, run.user], [{ n: 1 }, 1, "ok", { n: 1 }]);
  equal((await once([change, queued])).result.user, { n: 1 });
});

Deno.test("runs that lie in the pipe are served in order, one after another", async () => {
  await using worker = await start();
  const source = `${ASYNC} { email = context.email; await new Promise((done) => setTimeout(done, 2));
    callback(null, { seen: email }, context) }`;
  await worker.send("LOAD", plan(source));
  for (let number = 1; number <= 5; number++) {
    await worker.send("RUN", { run: number, plan: 1, from: 0, user: {}, context: { email: `${number}@x` } });
  }
  for (let number = 1; number <= 5; number++) {
    const { body } = (await worker.until("RESULT")).at(-1);
    equal([body.run, body.user], [number, { seen: `${number}@x` }]);
  }
});

Deno.test("what a function leaves to microtasks is done before the next run starts", async () => {
  await using worker = await start();
  const source = `let n = 0; ${ASYNC} { log(n); callback(null, user, context);
    for (let i = 0; i < 50; i++) await null; n++ }`;
  const logs = [];
  for (let number = 1; number <= 3; number++) {
    logs.push((await worker.run(number === 1 ? source : null, { number })).logs[0][0]);
  }
  equal(logs, [0, 1, 2]);
});

Deno.test("timers do not outlive their run", async () => {
  await using worker = await start();
  const left = `let n = 0; ${ASYNC} { setInterval(() => n++, 1); setTimeout(() => n++, 1); setImmediate(() => n++);
    log(n); callback(null, user, context) }`;
  const wait = `${ASYNC} { setTimeout(() => callback(null, user, context), 30) }`;
  await worker.run(left);
  await worker.run([{ source: wait, functionId: "wait" }], { number: 2, plan: 2 });
  equal((await worker.run(null, { number: 3 })).logs, [[0]]);
});

Deno.test("rejections that nobody handled neither end the worker nor reach a later run", async () => {
  await using worker = await start();
  const source = `${ASYNC} { Promise.reject(new Error('floating')); callback(null, user, context) }`;
  for (let number = 1; number <= 200; number++) {
    const run = await worker.run(number === 1 ? source : null, { number });
    equal([run.outcome, run.lines.length], ["ok", 0]);
  }
});

Deno.test("with several runs per worker they interleave, and errors find their run", async () => {
  await using worker = await start();
  const source = `${ASYNC} { await new Promise((done) => setTimeout(done, context.wait));
    if (context.fail) setTimeout(() => { throw new Error('of ' + context.wait) }, 1);
    else callback(null, user, context) }`;
  await worker.send("LOAD", plan(source, { settings: { runsPerWorker: 3 } }));
  const waits = [{ wait: 60 }, { wait: 30, fail: true }, { wait: 5 }];
  for (const [index, context] of waits.entries()) {
    await worker.send("RUN", { run: index + 1, plan: 1, from: 0, user: {}, context });
  }
  const results = [];
  for (const _ of waits) results.push((await worker.until("RESULT")).at(-1).body);
  equal(results.map(({ run, last }) => [run, last.outcome]), [[3, "ok"], [2, "threw"], [1, "ok"]]);
  equal(results[1].last.message, "of 30");
});
