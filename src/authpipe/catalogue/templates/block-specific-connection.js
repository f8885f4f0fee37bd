/*
@title-zh 禁止特定方式注册
@title-en Block specific register/login method
@scenes PRE_REGISTER
@category access-control
@overview-zh 禁止通过微博注册，兼容 context.connection 的各种写法；修改 BLOCKED 即可禁止其他方式。
@overview-en Refuses registrations that come through Weibo, in every spelling of context.connection. Change BLOCKED to refuse another way in.
*/

const BLOCKED = "weibo";

// "weibo", "weibo:<id>", "social:weibo" and "social:weibo-web" all name the same provider.
function provider(connection) {
  return String(connection || "").toLowerCase().replace(/^social:/, "").split(/[:-]/)[0];
}

async function pipe(user, context, callback) {
  if (provider(context.connection) === BLOCKED) {
    return callback(new Error("当前系统禁止使用微博登录！"));
  }
  return callback(null, user, context);
}
