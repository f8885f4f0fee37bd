/*
@title-zh 强制手机号验证之后才能登录
@title-en Force Phone to be Verified
@scenes PRE_AUTHENTICATION
@category access-control
@overview-zh 只有手机号已验证的用户可以登录；没有手机号的用户也会被拒绝。
@overview-en Lets only users log in whose phone number is verified. Users who have none are refused too.
*/

async function pipe(user, context, callback) {
  if (!user || user.phoneVerified !== true) {
    return callback(new Error("请先验证手机号！"));
  }
  return callback(null, user, context);
}
