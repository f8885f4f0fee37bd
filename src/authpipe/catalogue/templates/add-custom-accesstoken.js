/*
@title-zh 添加自定义 accessToken
@title-en Add custom accessToken Claims
@scenes PRE_OIDC_ACCESS_TOKEN_ISSUED
@category oidc
@overview-zh 在签发 Access Token 之前加入自定义字段 KEY；对编程访问账号同样有效，没有 user 时不做修改。
@overview-en Adds the claim KEY to the access token before it is signed, for programmatic access accounts too. Without a user nothing is changed.
*/

async function pipe(user, context, callback) {
  // A user pool may be set to pass null for programmatic access accounts.
  if (user) {
    user.addAccessToken("KEY", "VALUE");
  }
  return callback(null, user, context);
}
