/*
@title-zh 检查用户名
@title-en Check username
@scenes PRE_COMPLETE_USER_INFO
@category access-control
@overview-zh 补全信息时必须填写用户名，只含空格也视为未填写。
@overview-en Refuses completed user information without a username; blanks alone do not count as one.
*/

async function pipe(user, context, callback) {
  const { username } = user || {};
  if (!username || String(username).trim() === "") {
    return callback(new Error("Username required."));
  }
  return callback(null, user, context);
}
