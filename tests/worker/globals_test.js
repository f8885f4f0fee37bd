/** Globals and modules. Source: contract.md, section 5. */

import { equal, matches } from "./assert.js";
import { once, start } from "./worker.js";

const ASYNC = "async function pipe(user, context, callback)";

/** an expression and its value after JSON */
const VALUES = [
  ["env.KEY", "value"],
  ["Object.keys(env)", ["KEY"]],
  ["(() => { try { env.KEY = 'x' } catch {} return env.KEY })()", "value"],
  ["Object.keys(process.env)", ["TZ"]],
  ["process.env.TZ", "Asia/Shanghai"],
  ["new Date(0).getHours()", 8],
  ["global === globalThis", true],
  ["[typeof Worker, typeof alert, typeof caches, typeof localStorage]", Array(4).fill("undefined")],
  [
    "['core', 'stdin', 'stdout', 'readTextFile', 'Command', 'internal', 'permissions'].filter((name) => name in Deno)",
    [],
  ],
  ["Object.getOwnPropertySymbols(Deno)", []],
  ["process.memoryUsage().heapUsed > 0", true],
  ["process.cwd().length > 0 && process.hrtime().length", 2],
  ["typeof WebAssembly", "undefined"],
  ["new Buffer('hi').toString('base64')", "aGk="],
  ["Buffer.from('hi').toString('hex')", "6869"],
  ["new URL('https://a.example/b?c=d').searchParams.get('c')", "d"],
  ["new TextEncoder().encode('é').length", 2],
  ["structuredClone({ a: [1] })", { a: [1] }],
  ["require('crypto').createHash('sha256').update('x').digest('hex').slice(0, 8)", "2d711642"],
  ["require('node:crypto').randomBytes(4).length", 4],
  ["require('zlib').gunzipSync(require('zlib').gzipSync('hello')).toString()", "hello"],
  ["require('url').parse('http://a/b?c=1').query", "c=1"],
  ["require('util').format('%s-%d', 'a', 1)", "a-1"],
  ["require('util').inspect({ a: 1 })", "{ a: 1 }"],
  ["require('querystring').stringify({ a: 'b c' })", "a=b%20c"],
  ["require('path').join('a', '..', 'b')", "b"],
  ["require('path/posix').basename('/a/b.js')", "b.js"],
  ["new (require('string_decoder').StringDecoder)('utf8').write(Buffer.from('é'))", "é"],
  ["new (require('events'))().emit('x')", false],
  ["(() => { try { require('assert').strictEqual(1, 2) } catch (error) { return error.code } })()", "ERR_ASSERTION"],
  ["require('punycode').toASCII('mañana.com')", "xn--maana-pta.com"],
  ["require('stream/promises').pipeline.name", "pipeline"],
  ["require('os').EOL", "\n"],
  ["require('buffer').Buffer === Buffer", true],
  ["require('perf_hooks').performance.now() > 0", true],
  ["await require('timers/promises').setTimeout(1, 'later')", "later"],
  ["await require('util').promisify(setTimeout)(1, 'p')", "p"],
  ["require('timers').setTimeout === setTimeout", true],
  ["(await crypto.subtle.digest('SHA-256', new Uint8Array(3))).byteLength", 32],
  ["await new Response('abc').text()", "abc"],
  [
    "await new Promise((done) => { const chunks = []; require('stream').Readable.from(['a', 'b'])" +
    ".on('data', (c) => chunks.push(c)).on('end', () => done(chunks.join())) })",
    "a,b",
  ],
  ["require('lodash').chunk([1, 2, 3], 2)", [[1, 2], [3]]],
  ["require('axios') === axios", true],
  ["typeof axios.create().get", "function"],
  ["require('./utils') === require('./utils')", true],
  ["require('utils').ipRangeCheck('10.0.0.5', ['10.0.0.1', '10.0.0.9'])", true],
  ["await axios.get('http://127.0.0.1/').catch((e) => [e.name, e.code, e.message, axios.isAxiosError(e)])", [
    "AxiosError",
    "ERR_EGRESS_DISABLED",
    "outbound requests are not enabled",
    true,
  ]],
  ["await axios.create().post('/x', user).catch((e) => e.code)", "ERR_EGRESS_DISABLED"],
  ["await fetch('http://127.0.0.1/').catch((e) => [e.code, e.message])", [
    "ERR_EGRESS_DISABLED",
    "outbound requests are not enabled",
  ]],
  ["(() => { try { require('left-pad') } catch (e) { return [e.code, e.message] } })()", [
    "MODULE_NOT_FOUND",
    "Cannot find module 'left-pad': only Node built-ins, lodash, axios and ./utils are available",
  ]],
  ["require('http').STATUS_CODES[404]", "Not Found"],
  ["require('fs').constants.R_OK", 4],
  ["require('net').isIP('::1')", 6],
  ["require('worker_threads').isMainThread", true],
  ["typeof require('util').promisify(require('fs').readFile)", "function"],
];

Deno.test("what tenant code finds", async (t) => {
  await using worker = await start();
  let number = 0;
  for (const [expression, value] of VALUES) {
    await t.step(expression.slice(0, 80), async () => {
      const step = { source: `${ASYNC} { user.value = ${expression}; callback(null, user, context) }` };
      const more = { number: ++number, plan: number, settings: { timeZone: "Asia/Shanghai" } };
      const run = await worker.run([{ ...step, functionId: `v${number}` }], more);
      equal([run.outcome, run.user?.value], ["ok", value], JSON.stringify(run.last));
    });
  }
});

const REFUSED =
  ("fs fs/promises child_process net dgram tls dns dns/promises http https http2 cluster worker_threads vm v8 " +
    "inspector repl readline tty wasi sqlite module test trace_events").split(" ");

Deno.test("refused modules load, calls throw and name the way out", async (t) => {
  await using worker = await start();
  let number = 0;
  for (const name of REFUSED) {
    await t.step(name, async () => {
      const source = `const whole = require('${name}'), { open } = require('node:${name}');
        class Own extends whole.Agent {}
        ${ASYNC} { for (const attempt of [() => open('x'), () => new whole.Agent(), () => new Own(), () => whole.default.run()])
          try { attempt(); log('no error') } catch (error) { log(error.code, error.message) }
        callback() }`;
      const run = await worker.run([{ source, functionId: `m${++number}` }], { number, plan: number });
      equal([run.outcome, run.logs.length], ["ok", 4], JSON.stringify(run.last));
      for (const [index, member] of ["open", "Agent", "Agent", "run"].entries()) {
        const [code, message] = run.logs[index];
        equal(code, "ERR_ACCESS_DENIED");
        matches(message, new RegExp(`^${name.replace("/", "\\/")}\\.${member} is not available in functions: .{5}`));
      }
    });
  }
});

/** ways to what is neutralised, each must throw or answer undefined */
const NEUTRALISED = [
  "process.binding('fs')",
  "process.getBuiltinModule('fs')",
  "process.dlopen({}, 'x')",
  "process.mainModule.require('fs')",
  "require('fs').promises.readFile('/etc/passwd')",
  "require('dns').promises.lookup('localhost')",
  "new Worker('data:text/javascript,1')",
];

Deno.test("ways around are closed", async (t) => {
  for (const code of NEUTRALISED) {
    await t.step(code, async () => {
      const run = await once(
        `${ASYNC} { try { const x = await ${code}; log('reached', typeof x) } catch { log('refused') }
        callback() }`,
      );
      equal([run.outcome, run.logs], ["ok", [["refused"]]]);
    });
  }
});

Deno.test("console and standard output go to the run log", async () => {
  const run = await once(`${ASYNC} { console.log('a', { b: 1 }); console.error('e'); console.assert(1 > 2, 'no');
    require('console').warn('w'); process.stdout.write('raw'); console.time('t'); callback() }`);
  const lines = run.lines.map(({ kind, level, args }) => [kind, level, args]);
  equal(lines, [
    ["console", "log", ["a", { b: 1 }]],
    ["console", "error", ["e"]],
    ["console", "assert", ["no"]],
    ["console", "warn", ["w"]],
    ["console", "stdout", ["raw"]],
  ]);
});

/** an argument of log and what is kept */
const LOGGED = [
  ["undefined", "undefined"],
  ["null", null],
  ["NaN", "NaN"],
  ["1n", "1n"],
  ["Symbol('s')", "Symbol(s)"],
  ["() => 1", "[Function]"],
  ["new Date(0)", "1970-01-01T00:00:00.000Z"],
  ["[1, undefined, 'ü\\n']", [1, "undefined", "ü\n"]],
  ["{ a: undefined, b: { c: null } }", { b: { c: null } }],
  ["(() => { const a = {}; a.a = a; return a })()", { a: "[Circular]" }],
  ["new Uint8Array(10)", "[binary data]"],
  ["{ get a() { throw 1 } }", "[a value that cannot be read]"],
  ["'x'.repeat(1e8)", "[a line too long for the log]"],
  ["Array(1e6).fill(0)", "[a line too long for the log]"],
  [
    "(() => { let a = {}; for (let i = 0; i < 99; i++) a = { l: a, r: a }; return a })()",
    "[a line too long for the log]",
  ],
];

Deno.test("log keeps any value, readable and bounded", async (t) => {
  for (const [expression, kept] of LOGGED) {
    await t.step(expression.slice(0, 60), async () => {
      const run = await once(`${ASYNC} { log(${expression}); callback() }`);
      equal([run.outcome, run.logs], ["ok", [[kept]]]);
    });
  }
});

Deno.test("log keeps an error's message and the function's own stack", async () => {
  const run = await once(`${ASYNC} { log(new TypeError('x')); callback() }`);
  const [[error]] = run.logs;
  equal(error.message, "x");
  matches(error.stack, /^TypeError: x\n {4}at pipe \(step_0\.js:1:\d+\)$/);
});

Deno.test("a flood of lines ends in one warning, and the next invocation logs again", async () => {
  const flood = `${ASYNC} { for (let i = 0; i < 1000; i++) log(i); callback() }`;
  const run = await once([flood, `${ASYNC} { log('next'); callback() }`], { logLines: 5 });
  equal(run.logs, [[0], [1], [2], [3], [4], ["next"]]);
  equal(run.warnings, ["log limit reached"]);
  const bytes = await once(`${ASYNC} { for (let i = 0; i < 10; i++) log('x'.repeat(100)); callback() }`, {
    logBytes: 350,
  });
  equal([bytes.logs.length, bytes.warnings], [3, ["log limit reached"]]);
});

Deno.test("a line is written before log returns, so that it survives a kill", async () => {
  await using worker = await start();
  const { plan } = await import("./worker.js");
  await worker.send("LOAD", plan(`${ASYNC} { log('before'); for (;;); }`));
  await worker.send("RUN", { run: 1, plan: 1, from: 0, user: {}, context: {} });
  equal((await worker.until("LOG")).at(-1).body.args, ["before"]);
});
