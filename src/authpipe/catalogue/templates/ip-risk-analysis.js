/*
@title-zh 根据 IP 风险评分屏蔽用户
@title-en IP Risk Analysis
@scenes POST_REGISTER, PRE_AUTHENTICATION
@category access-control
@needs network, variable:LOC_RISK_APPKEY
@overview-zh 查询来源 IP 的风险评分，达到 80 分就停用该用户；服务的密钥取自环境变量 LOC_RISK_APPKEY。查询失败只记录日志。
@overview-en Asks a risk service about the IP address and blocks the user when it scores 80 or more. The key of the service is the environment value LOC_RISK_APPKEY. A query that fails is only logged.
*/

const SERVICE = "https://way.jd.com/Dingxiang/ipquery";
const LIMIT = 80;

async function riskOf(ip) {
  const query = new URLSearchParams({ key: ip, appkey: env.LOC_RISK_APPKEY });
  const { data } = await axios.get(`${SERVICE}?${query}`);
  return data && data.code === "10000" && data.result ? Number(data.result.score) : NaN;
}

async function pipe(user, context, callback) {
  const ip = (context.request && context.request.ip) || context.ip;
  if (!user || !ip || !env.LOC_RISK_APPKEY) {
    log("No risk analysis: it takes a user, an IP address and LOC_RISK_APPKEY.");
    return callback(null, user, context);
  }
  try {
    // An error handed to callback would undo the change, so a risky user is blocked and passed on.
    if ((await riskOf(ip)) >= LIMIT) user.blocked = true;
  } catch (error) {
    log("The risk analysis failed.", error.message);
  }
  return callback(null, user, context);
}
