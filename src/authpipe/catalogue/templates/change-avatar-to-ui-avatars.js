/*
@title-zh 使用 ui-avatars API 生成头像
@title-en Generate Avatar by ui-avatars API
@scenes POST_REGISTER, POST_AUTHENTICATION
@category user-fields
@overview-zh 用 ui-avatars 按用户名、昵称或邮箱生成头像地址；三者都没有时不做修改。
@overview-en Sets the avatar to a picture that ui-avatars draws from the username, nickname or e-mail address. A user who has none of them keeps the avatar.
*/

async function pipe(user, context, callback) {
  const name = user.username || user.nickname || user.email;
  if (name) {
    // encodeURIComponent throws on half of a surrogate pair, and names come from outside.
    user.photo = `https://ui-avatars.com/api/?name=${encodeURIComponent(String(name).toWellFormed())}`;
  }
  return callback(null, user, context);
}
