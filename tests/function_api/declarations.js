// @ts-check
/// <reference path="../../docs/reference/function-api.d.ts" />
// Checked, never run: what authors write must fit the declarations, and marked lines must not.

/** @type {Authpipe.Pipe<"PRE_REGISTER">} */
const register = async (user, context, callback) => {
  const { email } = context.request.body;
  if (email && !email.endsWith("@example.com")) return callback(new Error("Access denied."));
  if (!context.ip) return callback("no address");
  user.email = email;
  user.username = null;
  user.customData.seen = { at: context.request.geo.city, times: [1, true] };
  user.addCustomData("a", 1).addCustomData("b", [null]);
  // @ts-expect-error there is no record yet
  user.id.slice(1);
  // @ts-expect-error verified by the host only
  user.emailVerified = true;
  // @ts-expect-error counts in the ID-token scene only
  user.addIdToken("KEY", "VALUE");
  log("registered by", context.connection, env.LIST, user);
  return callback(null, user, context);
};

/** @type {Authpipe.Pipe<"POST_REGISTER">} */
async function stored(user, context, callback) {
  user.photo = `https://example.com/${user.id}`;
  user.blocked = true;
  user.addMetaData("once", [1]).addMetaDataAndPersist("b", "2");
  // @ts-expect-error the record has its address
  user.email = "x@example.com";
  // @ts-expect-error not a string
  user.nickname = {};
  const { data, status } = await axios.get("https://example.com/list", { timeout: 500 });
  await axios.post("https://example.com", JSON.stringify({ data, status }), { headers: { a: "b" } });
  callback(null, user);
}

/** @type {Authpipe.PlainPipe<"POST_AUTHENTICATION">} */
const authenticated = function (user, context, callback) {
  user.addToken("KEY", "VALUE").removeTokenField("other").addMetaData("a", null);
  context.ownKey = 1;
  callback(null, context);
};

/** @type {Authpipe.Pipe<"PRE_OIDC_ID_TOKEN_ISSUED">} */
const idToken = async (user, _context, callback) => {
  const paths = await authing.users.listOrgs(user.id);
  const ids = paths.map((path) => path.find((node) => node.type === "org")?.id);
  user.addIdToken("orgIds", ids).removeIdToken("email", undefined);
  await authing.roles.addUsers("role", [user.id], "default");
  await authing.authz.addUserToGroup({ userId: user._id, groupId: env.GROUP });
  // @ts-expect-error nothing of the profile is taken back here
  user.nickname = "x";
  callback();
};

/** @type {Authpipe.PlainPipe<"PRE_OIDC_ACCESS_TOKEN_ISSUED">} */
const accessToken = (user, context, callback) => {
  if (context.accessTokenTarget === "programmaticAccount") user.addAccessToken("KEY", "VALUE");
  // @ts-expect-error a program has no id
  user.id.slice(1);
  // @ts-expect-error no such target
  if (context.accessTokenTarget === "robot") return callback(null);
  callback(null, null, context);
};

/** @type {Authpipe.PlainContextPipe} */
const short = (context, callback) => {
  // @ts-expect-error an error is no number
  if (!context.appId) return callback(5);
  // @ts-expect-error written by authpipe only
  context.userPoolId = "other";
  callback(null, context);
};

/** @type {Authpipe.ContextPipe} */
async function shortAndAsync(context, callback) {
  await null;
  callback(null, context);
}

/** @type {Authpipe.PlainPipe} */
const anyScene = (user, context, callback) => {
  user.customData.scene = context.protocol;
  callback(null, user, context);
};

/** @type {Authpipe.Utils} */
const utils = require("./utils");
const inside = [
  utils.ipRangeCheck("203.0.113.7", ["203.0.113.1", "203.0.113.255"]),
  utils.ipRangeCheck(null, "2001:db8::/32"),
  // @ts-expect-error a range is no number
  utils.ipRangeCheck("203.0.113.7", 8),
];

export { accessToken, anyScene, authenticated, idToken, inside, register, short, shortAndAsync, stored };
