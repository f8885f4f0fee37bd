/*
@title-zh 注册邮箱后缀白名单
@title-en Register email domain whitelist
@scenes PRE_REGISTER
@category access-control
@overview-zh 使用邮箱注册时，只接受域名在列表中的邮箱（默认 example.com）；没有邮箱的注册不受影响。
@overview-en Lets people register by e-mail only when the address is at a listed domain (example.com to begin with). Registrations without an e-mail address pass.
*/

// Lower case, without "@". A subdomain is a domain of its own: list it if you want it.
const ALLOWED_DOMAINS = ["example.com"];

function isAllowed(email) {
  if (typeof email !== "string") return false;
  // Exactly one "@" and nothing that could hide a second address.
  const parts = /^[^\s@,;<>]+@([^\s@,;<>]+)$/.exec(email);
  return parts !== null && ALLOWED_DOMAINS.includes(parts[1].toLowerCase());
}

async function pipe(user, context, callback) {
  const { body = {} } = context.request || {};
  const given = [body && body.email, user && user.email].filter(Boolean);
  if (!given.every(isAllowed)) {
    return callback(new Error("Access denied."));
  }
  return callback(null, user, context);
}
