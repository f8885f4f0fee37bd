/*
@title-zh 通过 API 动态加载白名单
@title-en Load Whitelist On Cloud
@scenes PRE_REGISTER, PRE_AUTHENTICATION
@category access-control
@needs network, variable:WHITELIST_URL
@overview-zh 从环境变量 WHITELIST_URL 指定的地址读取邮箱白名单（每行一个，或 JSON 数组），只允许名单中的邮箱；名单读取失败时一律拒绝。
@overview-en Reads a list of e-mail addresses (one a line, or a JSON array) from the address in the environment value WHITELIST_URL and lets nobody else in. When the list cannot be read, nobody gets in.
*/

// What is not text becomes "", which no list contains.
const clean = (value) => (typeof value === "string" ? value.trim().toLowerCase() : "");

async function readWhitelist() {
  if (!env.WHITELIST_URL) throw new Error("WHITELIST_URL is not set.");
  const { data } = await axios.get(env.WHITELIST_URL);
  const lines = Array.isArray(data) ? data : String(data).split(/\r?\n/);
  return new Set(lines.map(clean).filter(Boolean));
}

function emailsOf(user, context) {
  // Somebody who is already stored is known by the stored address, whatever was typed.
  if (user && user.id) return [user.email].filter(Boolean);
  const { body } = context.request || {};
  return [body && body.email, user && user.email].filter(Boolean);
}

async function pipe(user, context, callback) {
  const emails = emailsOf(user, context);
  let allowed = false;
  try {
    if (emails.length > 0) {
      const whitelist = await readWhitelist();
      allowed = emails.every((email) => whitelist.has(clean(email)));
    }
  } catch (error) {
    log("The whitelist could not be read; nobody is let in.", error.message);
  }
  if (!allowed) {
    return callback(new Error("Access Denied!"));
  }
  return callback(null, user, context);
}
