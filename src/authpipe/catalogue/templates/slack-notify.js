/*
@title-zh Slack 群通知
@title-en Slack Notify
@scenes POST_REGISTER, POST_AUTHENTICATION
@category webhook
@asynchronous yes
@needs network, variable:SLACK_WEBHOOK
@overview-zh 通过 Slack Incoming Webhook 发送用户通知，地址取自环境变量 SLACK_WEBHOOK；发送失败只记录日志。
@overview-en Tells a Slack channel about the user through an incoming webhook whose address is the environment value SLACK_WEBHOOK. A message that cannot be sent is only logged.
*/

const querystring = require("querystring");

// Unescaped, a username such as <!channel> would call everybody in the channel.
const escaped = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

function describe(user) {
  const rows = {
    "ID": user.id,
    "Username": user.username,
    "Registered by": [].concat(user.registerSource || []).join(", "),
    "E-mail": user.email,
    "Phone": user.phone,
    "Device": user.device,
    "User pool": user.userPoolId,
  };
  return Object.entries(rows).map(([name, value]) => `${name}: ${escaped(value || "-")}`).join("\n");
}

async function pipe(user, context, callback) {
  try {
    if (!env.SLACK_WEBHOOK) throw new Error("SLACK_WEBHOOK is not set.");
    const form = querystring.stringify({ payload: JSON.stringify({ text: describe(user) }) });
    await axios.post(env.SLACK_WEBHOOK, form, { headers: { "Content-Type": "application/x-www-form-urlencoded" } });
  } catch (error) {
    log("Slack was not told.", error.message);
  }
  return callback(null, user, context);
}
