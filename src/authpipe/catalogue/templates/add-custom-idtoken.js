/*
@title-zh 添加自定义 idToken
@title-en Add custom idToken Claims
@scenes PRE_OIDCTOKENISSUED
@category oidc
@overview-zh 在签发 ID Token 之前加入自定义字段 KEY；同名的原有字段会被替换。
@overview-en Adds the claim KEY to the ID token before it is signed, or replaces the claim of that name.
*/

async function pipe(user, context, callback) {
  user.addIdToken("KEY", "VALUE");
  return callback(null, user, context);
}
