/*
@title-zh 补充用户地理位置信息字段
@title-en Fill User Address Field
@scenes POST_REGISTER, POST_AUTHENTICATION
@category user-fields
@needs geo
@overview-zh 用 context.request.geo 补充用户的 address、region、postalCode；未知的部分保持不变。
@overview-en Fills address, region and postalCode of the user from context.request.geo. What is not known there is left alone.
*/

async function pipe(user, context, callback) {
  const geo = (context.request && context.request.geo) || context.geo || {};
  const known = { address: geo.address, region: geo.province, postalCode: geo.adcode };
  for (const [field, value] of Object.entries(known)) {
    if (value) user[field] = String(value);
  }
  return callback(null, user, context);
}
