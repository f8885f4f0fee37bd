/*
@title-zh 添加自定义用户 Metadata 并持久化
@title-en Add Custom Metadata and Persist
@scenes POST_REGISTER, POST_AUTHENTICATION
@category user-fields
@overview-zh 用 user.addCustomData 为用户添加自定义字段，并保存到用户记录。
@overview-en Adds a custom field to the user with user.addCustomData; it is stored with the user.
*/

async function pipe(user, context, callback) {
  user.addCustomData("KEY1", "VALUE1");
  return callback(null, user, context);
}
