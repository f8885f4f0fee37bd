/*
@title-zh 强制邮箱验证之后才能登录
@title-en Force Email to be Verified
@scenes PRE_AUTHENTICATION
@category access-control
@overview-zh 只有邮箱已验证的用户可以登录；没有邮箱的用户也会被拒绝。
@overview-en Lets only users log in whose e-mail address is verified. Users who have none are refused too.
*/

async function pipe(user, context, callback) {
  if (!user || user.emailVerified !== true) {
    return callback(new Error("请先验证邮箱！"));
  }
  return callback(null, user, context);
}
