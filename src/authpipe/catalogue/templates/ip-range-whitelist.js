/*
@title-zh 注册 IP 段白名单
@title-en Register IP Whitelist
@scenes PRE_REGISTER
@category access-control
@overview-zh 只有来自指定 IP 段的请求可以注册；来源 IP 未知时拒绝。使用 utils.ipRangeCheck 判断。
@overview-en Lets people register only from a range of IP addresses, checked with utils.ipRangeCheck. A request whose address is not known is refused.
*/

const { ipRangeCheck } = require("./utils");

// First and last address, both included.
const ALLOWED_RANGE = ["110.53.254.1", "110.53.254.255"];

async function pipe(user, context, callback) {
  const { ip } = context.request || {};
  if (!ip || !ipRangeCheck(ip, ALLOWED_RANGE)) {
    return callback(new Error("你不在允许注册/登录的 IP 范围内！"));
  }
  return callback(null, user, context);
}
