/*
@title-zh 修改默认头像
@title-en Change Default Avatar
@scenes POST_REGISTER
@category user-fields
@overview-zh 为新注册的用户设置你自己的默认头像。
@overview-en Gives newly registered users a default avatar of your own.
*/

const AVATAR = "https://www.example.com/default-avatar.png";

async function pipe(user, context, callback) {
  user.photo = AVATAR;
  return callback(null, user, context);
}
