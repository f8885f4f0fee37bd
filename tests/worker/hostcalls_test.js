/** Host calls, and work that is left un-awaited. */

import { equal } from "./assert.js";
import { plan, start } from "./worker.js";

const ASYNC = "async function pipe(user, context, callback)";

Deno.test("authing methods become host calls, answered or refused", async () => {
  await using worker = await start();
  const calls = [];
  worker.onCall = (call) => {
    calls.push([call.name, call.arguments, call.body]);
    return call.arguments.method === "users.listOrgs"
      ? { value: [[{ id: "o" }]] }
      : { error: { code: "not_found", message: "no such user" } };
  };
  const run = await worker.run(
    `${ASYNC} {
    user.orgs = await authing.users.listOrgs(user.id, { a: 1 });
    try { await authing.userRoleList('u') } catch (error) { user.error = [error instanceof Error, error.code, error.message] }
    callback(null, user, context) }`,
    { user: { id: "u1" } },
  );
  equal(calls, [
    ["authing", { method: "users.listOrgs", arguments: ["u1", { a: 1 }] }, false],
    ["authing", { method: "userRoleList", arguments: ["u"] }, false],
  ]);
  equal([run.outcome, run.user.orgs, run.user.error], ["ok", [[{ id: "o" }]], [true, "not_found", "no such user"]]);
});

Deno.test("calls may be open at the same time, and answered in any order", async () => {
  await using worker = await start();
  await worker.send(
    "LOAD",
    plan(`${ASYNC} {
    const all = await Promise.all([authing.a.x(1), authing.a.x(2), authing.a.x(3)]);
    callback(null, { all }, context) }`),
  );
  await worker.send("RUN", { run: 1, plan: 1, from: 0, user: {}, context: {} });
  const calls = [];
  while (calls.length < 3) calls.push((await worker.until("HOST_CALL_OPEN")).at(-1).body);
  for (const { call, arguments: { arguments: [n] } } of calls.toReversed()) {
    await worker.send("HOST_CALL_END", { call, value: n * 10 });
  }
  equal((await worker.until("RESULT")).at(-1).body.user, { all: [10, 20, 30] });
});

Deno.test("neither authing nor a group of it is a promise", async () => {
  await using worker = await start();
  const run = await worker.run(`${ASYNC} { const a = await authing; const b = await authing.users;
    callback(null, { a: a === authing, b: b === authing.users, same: authing.users === authing.users }, context) }`);
  equal(run.user, { a: true, b: true, same: true });
});

Deno.test("a worker that is waited for by a host call takes the next run only when it is ready", async () => {
  await using worker = await start();
  await worker.send(
    "LOAD",
    plan(`${ASYNC} { if (context.left) authing.users.update('u', {}).then(() => log('done'));
    callback(null, user, context) }`),
  );
  await worker.send("RUN", { run: 1, plan: 1, from: 0, user: {}, context: { left: true } });
  await worker.send("RUN", { run: 2, plan: 1, from: 0, user: {}, context: {} });
  const first = await worker.until("RESULT");
  equal(first.at(-1).body.settling, true);
  const { call } = first.find(({ type }) => type === "HOST_CALL_OPEN").body;
  await worker.send("HOST_CALL_END", { call, value: null });
  const rest = await worker.until("RESULT");
  equal(rest.map(({ type, body }) => [type, body.run]), [["LOG", 1], ["READY", 1], ["START_MARK", 2], ["RESULT", 2]]);
  equal(rest.at(-1).body.settling, false);
});

Deno.test("settling ends when the function's time is up", async () => {
  await using worker = await start();
  const source = `${ASYNC} { authing.users.update('u').catch((error) => log(error.message)); callback() }`;
  const first = await worker.run([{ source, timeout: 50 }]);
  equal(first.result.settling, true);
  equal((await worker.until("READY")).at(-1).body, { run: 1 });
  const again = await worker.run([{ source: `${ASYNC} { callback() }`, functionId: "b" }], { number: 2, plan: 2 });
  equal([again.outcome, again.result.settling], ["ok", false]);
  const silent = await worker.run([{ source: `${ASYNC} { setTimeout(() => {}, 5) }`, functionId: "c" }], {
    number: 3,
    plan: 3,
  });
  equal(silent.outcome, "no_callback");
});

Deno.test("calls that start while a run settles are waited for, calls after it are refused", async () => {
  await using worker = await start();
  const source = `${ASYNC} { if (context.again) { log(await later); return callback() }
    globalThis.later = authing.a.one().then(() => authing.a.two()).then(() => new Promise((done) => process.nextTick(done)))
      .then(() => Promise.resolve().then(() => authing.a.three())).then((value) => value, (error) => error.code);
    callback() }`;
  worker.onCall = () => ({ value: 1 });
  const first = await worker.run(source);
  equal(first.result.settling, true);
  await worker.until("READY");
  const names = worker.frames.filter(({ type }) => type === "HOST_CALL_OPEN").map(({ body }) => body.arguments.method);
  equal(names, ["a.one", "a.two", "a.three"]);
  equal((await worker.run(null, { number: 2, context: { again: true } })).logs, [[1]]);
});

Deno.test("a call after its run is refused", async () => {
  await using worker = await start();
  const source =
    `${ASYNC} { if (context.again) { setTimeout(() => { log(globalThis.seen); callback() }, 5); go(); return }
    globalThis.seen = 'nothing';
    globalThis.go = require('async_hooks').AsyncResource.bind(() => authing.a.b().catch((error) => { seen = error.code }));
    callback() }`;
  await worker.run(source);
  equal((await worker.run(null, { number: 2, context: { again: true } })).logs, [["ERR_RUN_OVER"]]);
});

Deno.test("a function without a callback is noticed also when a host call was open before", async () => {
  await using worker = await start();
  worker.onCall = () => ({ value: 1 });
  const run = await worker.run(`${ASYNC} { await authing.a.b() }`);
  equal(run.outcome, "no_callback");
  equal(
    (await worker.run([{ source: `${ASYNC} {}`, functionId: "b" }], { number: 2, plan: 2 })).outcome,
    "no_callback",
  );
});

Deno.test("arguments that cannot be sent are refused before they are", async () => {
  await using worker = await start();
  const run = await worker.run(`${ASYNC} { const codes = []; const cycle = {}; cycle.cycle = cycle;
    for (const bad of ['x'.repeat(1e5), 'x'.repeat(1e8), 1n, cycle, 'a\\ud800', { toJSON() { throw 1 } }])
      try { await authing.a.b(bad) } catch (error) { codes.push(error.code) }
    callback(null, { codes }, context) }`);
  equal(run.user, { codes: Array(6).fill("ERR_BAD_ARGUMENTS") });
});
