/*
@title-zh 注册手机号白名单
@title-en Register Phone Whitelist
@scenes PRE_REGISTER
@category access-control
@needs variable:PHONE_WHITELIST
@overview-zh 使用手机号注册时，只接受环境变量 PHONE_WHITELIST 中的号码，多个号码用逗号分隔；以 + 开头的条目会连同国家代码一起比较。
@overview-en Lets people register by phone only with a number listed in the environment value PHONE_WHITELIST, separated by commas. An entry that begins with + is compared together with the country code.
*/

// What is neither text nor a number becomes "", which no list contains.
const digits = (value) => (typeof value === "object" ? "" : String(value).replace(/[\s()-]/g, ""));

// An unset list allows nobody.
const allowed = () => (env.PHONE_WHITELIST || "").split(",").map(digits).filter(Boolean);

function spellings(holder) {
  const phone = digits(holder.phone);
  const code = digits(holder.phoneCountryCode || "");
  return phone.startsWith("+") || !code ? [phone] : [phone, code + phone];
}

async function pipe(user, context, callback) {
  const { body } = context.request || {};
  const given = [body, user].filter((holder) => holder && holder.phone);
  const list = allowed();
  if (!given.every((holder) => spellings(holder).some((phone) => list.includes(phone)))) {
    return callback(new Error("Access Denied!"));
  }
  return callback(null, user, context);
}
