/*
@title-zh 获取用户组织机构列表
@title-en Get User Org List
@scenes PRE_OIDCTOKENISSUED
@category oidc
@needs directory
@overview-zh 查询用户所在的组织机构，并把它们的 ID 写入 ID Token 的 orgIds 字段；不属于任何组织时为空数组。
@overview-en Looks up the organisations the user belongs to and puts their ids into the claim orgIds of the ID token, an empty list when there are none.
*/

async function pipe(user, context, callback) {
  // Not caught on purpose: a token that wrongly says "no organisations" is worse than none.
  const answer = await authing.users.listOrgs(user.id);
  const paths = Array.isArray(answer) ? answer : (answer && answer.list) || [];
  const orgs = paths.map((path) => path.find((node) => node.type === "org")).filter(Boolean);
  user.addIdToken("orgIds", [...new Set(orgs.map((org) => org.id))]);
  return callback(null, user, context);
}
