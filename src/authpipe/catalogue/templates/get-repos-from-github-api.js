/*
@title-zh 使用 GitHub API 获取用户 Repo 列表
@title-en Fetch GitHub Repos and Add to Metadata
@scenes POST_REGISTER, POST_AUTHENTICATION
@category user-fields
@needs network
@overview-zh 用户通过 GitHub 注册或登录时，查询其公开仓库，并把名称列表（JSON 文本，不超过 1000 字符）写入自定义字段 repos。
@overview-en When somebody comes through GitHub, looks up the public repositories and keeps their names, as JSON text of at most 1000 characters, in the custom field repos.
*/

const LONGEST = 1000;

// "github", "github:<id>" and "social:github" all name the same provider.
const isGitHub = (connection) => /^(social:)?github($|[:-])/i.test(String(connection || ""));

function fitting(names) {
  const kept = [...names];
  while (JSON.stringify(kept).length > LONGEST) kept.pop();
  return JSON.stringify(kept);
}

async function pipe(user, context, callback) {
  if (!isGitHub(context.connection) || !user.username) {
    return callback(null, user, context);
  }
  try {
    // For a user from GitHub the username is the GitHub login.
    const { data } = await axios.get(`https://api.github.com/users/${encodeURIComponent(user.username)}/repos`);
    user.addCustomData("repos", fitting(data.map((repo) => repo.name)));
  } catch (error) {
    log("GitHub did not tell the repositories.", error.message);
  }
  return callback(null, user, context);
}
