/*
@title-zh 飞书新注册通知
@title-en Lark Notify
@scenes POST_REGISTER, POST_AUTHENTICATION
@category webhook
@asynchronous yes
@needs network, variable:LARK_WEBHOOK
@overview-zh 通过飞书群机器人发送用户通知，机器人地址取自环境变量 LARK_WEBHOOK；发送失败只记录日志。
@overview-en Tells a Lark group about the user through a bot whose address is the environment value LARK_WEBHOOK. A message that cannot be sent is only logged.
*/

function describe(user) {
  const rows = {
    "ID": user.id,
    "用户名": user.username,
    "注册方式": [].concat(user.registerSource || []).join(", "),
    "邮箱": user.email,
    "手机号": user.phone,
    "设备": user.device,
    "用户池 ID": user.userPoolId,
  };
  return Object.entries(rows).map(([name, value]) => `${name}：${value || "-"}`).join("\n");
}

async function pipe(user, context, callback) {
  try {
    if (!env.LARK_WEBHOOK) throw new Error("LARK_WEBHOOK is not set.");
    await axios.post(env.LARK_WEBHOOK, { title: "用户通知", text: describe(user) });
  } catch (error) {
    log("Lark was not told.", error.message);
  }
  return callback(null, user, context);
}
