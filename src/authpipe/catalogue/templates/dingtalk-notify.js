/*
@title-zh 钉钉群通知
@title-en Dingtalk Notify
@scenes POST_REGISTER, POST_AUTHENTICATION
@category webhook
@asynchronous yes
@needs network, variable:DINGTALK_WEBHOOK
@overview-zh 通过钉钉群机器人发送用户通知，机器人地址取自环境变量 DINGTALK_WEBHOOK；发送失败只记录日志。
@overview-en Tells a DingTalk group about the user through a robot whose address is the environment value DINGTALK_WEBHOOK. A message that cannot be sent is only logged.
*/

function describe(user) {
  const rows = {
    "ID": user.id,
    "用户名": user.username,
    "注册方式": [].concat(user.registerSource || user.registerMethod || []).join(", "),
    "邮箱": user.email,
    "手机号": user.phone,
    "设备": user.device,
    "用户池 ID": user.userPoolId,
  };
  return Object.entries(rows).map(([name, value]) => `${name}：${value || "-"}`).join("\n");
}

async function pipe(user, context, callback) {
  try {
    if (!env.DINGTALK_WEBHOOK) throw new Error("DINGTALK_WEBHOOK is not set.");
    await axios.post(env.DINGTALK_WEBHOOK, { msgtype: "text", text: { content: describe(user) } });
  } catch (error) {
    log("DingTalk was not told.", error.message);
  }
  return callback(null, user, context);
}
