/** Methods and read-only fields of `user`. Source: contract.md, section 3. */

import { equal } from "./assert.js";
import { once } from "./worker.js";

const ASYNC = "async function pipe(user, context, callback)";
const ALL = ["customData", "customDataOnce", "idToken", "customAccessTokenClaims", "decryptedToken"];
const NONE = { idToken: [], accessToken: [], loginToken: [] };

/** method call, resulting user, removals */
const METHODS = [
  ["user.addCustomData('k', [1])", { customData: { k: [1] } }],
  ["user.addMetaData('k', 'v')", { customDataOnce: { k: "v" } }],
  ["user.addMetaDataAndPersist('k', 'v')", { customData: { k: "v" } }],
  ["user.setTokenField('k', 'v')", { decryptedToken: { k: "v" } }],
  ["user.addToken('k', null)", { decryptedToken: { k: null } }],
  ["user.addToken('k', 1); user.removeTokenField('k')", { decryptedToken: {} }, { ...NONE, loginToken: ["k"] }],
  ["user.removeToken('k')", {}, { ...NONE, loginToken: ["k"] }],
  ["user.setIdTokenField('k', 'v')", { idToken: { k: "v" } }],
  ["user.addIdToken('k', { a: 1 })", { idToken: { k: { a: 1 } } }],
  ["user.removeIdToken('email', 'useless')", {}, { ...NONE, idToken: ["email"] }],
  ["user.removeIdToken('k'); user.addIdToken('k', 1)", { idToken: { k: 1 } }, NONE],
  ["user.addAccessToken('k', 1)", { customAccessTokenClaims: { k: 1 } }],
  ["user.removeAccessToken('b'); user.removeAccessToken('a')", {}, { ...NONE, accessToken: ["b", "a"] }],
  ["const { addIdToken } = user; addIdToken('k', 1)", { idToken: { k: 1 } }],
  ["user.addIdToken('a', 1).addIdToken('b', 2)", { idToken: { a: 1, b: 2 } }],
  ["user.idToken = 'x'; user.addIdToken('k', 1)", { idToken: { k: 1 } }],
  ["user.addIdToken('k', 1); user = { nickname: 'new' }", { nickname: "new", idToken: { k: 1 } }],
  ["user.addIdToken('k', 1); user = { ...user, photo: 'p' }", { idToken: { k: 1 }, photo: "p" }],
];

Deno.test("every method feeds its accumulator", async (t) => {
  for (const [code, user, removed] of METHODS) {
    await t.step(code, async () => {
      const run = await once(`${ASYNC} { ${code}; callback(null, user, context) }`, { accumulators: ALL });
      equal([run.outcome, run.user, run.warnings], ["ok", user, []]);
      equal(run.result.removed, removed);
    });
  }
});

/** method call and the warning it earns; it has no effect */
const WARNED = [
  ["user.addIdToken('k', 1)", ["customData"], "user.addIdToken has no effect in scene PRE_REGISTER"],
  [
    "user.addMetaDataAndPersist('k', 1)",
    ["customData"],
    "user.addMetaDataAndPersist has no effect in scene PRE_REGISTER",
  ],
  ["user.removeAccessToken('k')", ["idToken"], "user.removeAccessToken has no effect in scene PRE_REGISTER"],
  ["user.addCustomData('__proto__', { polluted: 1 })", ALL, "user.addCustomData refused the key __proto__"],
  ["user.addCustomData({ toString: () => 'constructor' }, 1)", ALL, "user.addCustomData refused the key constructor"],
  ["user.removeIdToken('prototype')", ALL, "user.removeIdToken refused the key prototype"],
  [
    "user.addMetaDataAndPersist('k', 'x'.repeat(1001))",
    ALL,
    "user.addMetaDataAndPersist dropped k: its value is longer than 1000 characters",
  ],
];

Deno.test("what a method cannot do is a warning without effect", async (t) => {
  for (const [code, accumulators, warning] of WARNED) {
    await t.step(code, async () => {
      const source = `${ASYNC} { ${code}; log({}.polluted); callback(null, user, context) }`;
      const run = await once(source, { accumulators, scene: "PRE_REGISTER" });
      equal([run.outcome, run.user, run.warnings, run.logs], ["ok", {}, [warning], [["undefined"]]]);
      equal(run.result.removed, undefined);
    });
  }
});

Deno.test("read-only fields come out as they went in, on every hop", async () => {
  const evil = `${ASYNC} { user.id = 'evil'; user.userPoolId = 'other'; user.identities.push('mine');
    callback(null, user, context) }`;
  const user = { id: "u1", identities: [{ provider: "x" }] };
  const run = await once([evil, `${ASYNC} { log(user.id); callback(null, { id: 'again', nickname: 'n' }, context) }`], {
    user,
  });
  equal(run.user, { id: "u1", identities: [{ provider: "x" }], nickname: "n" });
  equal(run.logs, [["u1"]]);
});

Deno.test("removals may not outgrow the frame they travel in", async () => {
  const run = await once(`${ASYNC} { user.removeToken('x'.repeat(1e6)); callback(null, user, context) }`);
  equal([run.outcome, run.last.message], ["bad_result", "the names of the removed claims are too long together"]);
});

Deno.test("methods do not show", async () => {
  const run = await once(
    `${ASYNC} { const names = []; for (const name in user) names.push(name);
    log(names, Object.keys(user), JSON.stringify(user), require('lodash').isPlainObject(user), user.toString(),
      'addToken' in { ...user }); callback(null, user, context) }`,
    { user: { a: 1 } },
  );
  equal(run.logs, [[["a"], ["a"], '{"a":1}', true, "[object Object]", false]]);
});

Deno.test("a method may be replaced, and a lone user is told from a context by identity", async () => {
  const run = await once(
    `'use strict'; ${ASYNC} { user.addToken = () => 'own'; log(user.addToken()); user.n = 1;
    callback(null, user) }`,
    { user: { userPoolId: "p" } },
  );
  equal([run.logs, run.user, run.context], [[["own"]], { userPoolId: "p", n: 1 }, { request: {} }]);
});

Deno.test("a user that is null stays null", async () => {
  const run = await once(`${ASYNC} { log(user); callback(null, user, context) }`, { user: null });
  equal([run.logs, run.result.user], [[[null]], null]);
});

Deno.test("__proto__ keys in the data are data", async () => {
  const user = JSON.parse('{"__proto__": {"admin": true}, "a": {"__proto__": {"admin": true}}}');
  const run = await once(
    `${ASYNC} { log({}.admin, user.admin, Object.hasOwn(user, '__proto__'));
    callback(null, user, context) }`,
    { user },
  );
  equal([run.logs, JSON.stringify(run.user)], [[["undefined", "undefined", true]], JSON.stringify(user)]);
});
