/** The compile check. */

import { equal } from "./assert.js";
import { start } from "./worker.js";

const NO_PIPE =
  "no function called pipe: write `async function pipe(user, context, callback) { return callback(null, user, context); }`";
const NO_IMPORTS = "import and export are not available: write require('…') and a top-level function called pipe";

/** source, parameters, error */
const SOURCES = [
  ["async function pipe(user, context, callback) {}", 3, null],
  ["function pipe(context, callback) {}", 2, null],
  ["const pipe = async (user, context = {}, ...rest) => {}", 3, null],
  ["let pipe = function ({ a, b }, [c]) {}", 2, null],
  ["var pipe; pipe = (a) => {}", 1, null],
  ["exports.pipe = (a, b) => {}", 2, null],
  ["module.exports = function (a, b, c) {}", 3, null],
  ["module.exports.pipe = exports.pipe = (a, b) => {}", 2, null],
  ["function pipe(a, b) {}\nmodule.exports = pipe", 2, null],
  ["function pipe(a, b) {}\nfunction pipe(a, b, c) {}", 3, null],
  ["const make = () => (a, b) => {}; const pipe = make()", null, null],
  ["'use strict';\nconst pipe = (a) => a?.b ?? 1n;", 1, null],
  ["", null, NO_PIPE],
  ["function pip() {}", null, NO_PIPE],
  ["{ function inner() {} }\n// pipe", null, NO_PIPE],
  ["let x = 1;\nlet y = ;", null, "line 2, column 9: Unexpected token"],
  ["function pipe( {", null, "line 1, column 17: Unexpected token"],
  ["await 1; function pipe() {}", null, "line 1, column 7: Unexpected token"],
  ["function pipe() {}\nreturn 1", null, "line 2, column 1: 'return' outside of function"],
  ["import x from 'y'\nfunction pipe() {}", null, `line 1, column 1: ${NO_IMPORTS}`],
  ["\n  export async function pipe() {}", null, `line 2, column 3: ${NO_IMPORTS}`],
  ["async function pipe(u, c, cb) {\n  await import('node:v8') }", null, `line 2, column 9: ${NO_IMPORTS}`],
  ["})(); (function pipe() {", null, "line 1, column 1: Unexpected token"],
];

Deno.test("compile checks", async (t) => {
  await using worker = await start();
  for (const [source, parameters, error] of SOURCES) {
    await t.step(JSON.stringify(source), async () => {
      await worker.send("CHECK", { source });
      equal((await worker.until("CHECKED")).at(-1).body, { parameters, error });
    });
  }
});

Deno.test("what acorn accepts and the engine does not is told, too", async () => {
  await using worker = await start();
  await worker.send("CHECK", { source: "const module = 1; function pipe() {}" });
  equal((await worker.until("CHECKED")).at(-1).body, {
    parameters: null,
    error: "Identifier 'module' has already been declared",
  });
});
