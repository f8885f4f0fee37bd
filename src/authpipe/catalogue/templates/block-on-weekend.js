/*
@title-zh 每周日凌晨 3-6 点系统维护禁止注册/登录
@title-en Block register/login every weekends
@scenes PRE_REGISTER, PRE_AUTHENTICATION
@category access-control
@overview-zh 每周日 3:00 至 6:00（用户池时区）系统维护，期间禁止注册和登录。
@overview-en Refuses registrations and logins during maintenance, on Sundays from 3:00 until 6:00 in the time zone of the user pool.
*/

const SUNDAY = 0;
const FROM_HOUR = 3;
// The first hour that is open again.
const UNTIL_HOUR = 6;

async function pipe(user, context, callback) {
  const now = new Date();
  const hour = now.getHours();
  if (now.getDay() === SUNDAY && hour >= FROM_HOUR && hour < UNTIL_HOUR) {
    return callback(new Error("系统维护中，暂时停止注册！"));
  }
  return callback(null, user, context);
}
