/*
@title-zh 将用户最新位置信息写入 Metadata
@title-en Write the newest location of the user to Metadata
@scenes POST_AUTHENTICATION
@category user-fields
@needs geo
@overview-zh 登录后把来源 IP 写入自定义字段 latestIp，把地理位置（JSON 文本）写入 latestLocation；未知时不写。
@overview-en Keeps the IP address of the login in the custom field latestIp and its location, as JSON text, in latestLocation. What is not known is not written.
*/

async function pipe(user, context, callback) {
  const { ip, geo } = context.request || {};
  if (ip) {
    user.addCustomData("latestIp", ip);
  }
  if (ip && geo && Object.keys(geo).length > 0) {
    user.addCustomData("latestLocation", JSON.stringify(geo));
  }
  return callback(null, user, context);
}
