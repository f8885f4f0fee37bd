/**
 * Runs one template case in plain Deno: {code, scene, user, context, env} on stdin, what the function did on stdout.
 */
import { createRequire } from "node:module";
import { Buffer } from "node:buffer";

const input = JSON.parse(new TextDecoder().decode(await new Response(Deno.stdin.readable).arrayBuffer()));
const load = createRequire(import.meta.url);
const logs = [];

const log = (...args) => logs.push(JSON.parse(JSON.stringify(args)));
const refuse = async () => {
  throw new Error("outbound requests are not enabled");
};
const axios = { get: refuse, post: refuse };

/** Method → accumulator and the scenes it works in. */
const METHODS = {
  addCustomData: ["customData", /_REGISTER$|_AUTHENTICATION$|^PRE_COMPLETE_USER_INFO$/],
  addIdToken: ["idToken", /^PRE_OIDC_ID_TOKEN_ISSUED$/],
  addAccessToken: ["customAccessTokenClaims", /^PRE_OIDC_ACCESS_TOKEN_ISSUED$/],
};

function withMethods(user) {
  for (const [method, [accumulator, scenes]] of Object.entries(METHODS)) {
    user[accumulator] ??= {};
    const add = (key, value) => scenes.test(input.scene) && (user[accumulator][key] = value);
    Object.defineProperty(user, method, { value: add });
  }
  return user;
}

const toNumber = (ip) => (/^(\d{1,3}\.){3}\d{1,3}$/.test(ip) ? Buffer.from(ip.split(".")).readUInt32BE() : NaN);
const utils = {
  ipRangeCheck: (ip, [first, last]) => toNumber(ip) >= toNumber(first) && toNumber(ip) <= toNumber(last),
};
const require = (name) => (name === "./utils" ? utils : load(`node:${name}`));

function run(user, context) {
  const make = new Function("env", "log", "axios", "authing", "require", `${input.code}\nreturn pipe;`);
  const pipe = make(input.env, log, axios, {}, require);
  return new Promise((resolve, reject) => {
    const callback = (error, changed) =>
      resolve(error ? { verdict: "deny", message: error.message } : { verdict: "continue", user: changed });
    Promise.resolve(pipe(user, context, callback)).catch(reject);
  });
}

const user = input.user && withMethods(input.user);
const answer = await run(user, input.context).catch(() => ({ verdict: "deny", threw: true }));
console.log(JSON.stringify({ ...answer, logs }));
