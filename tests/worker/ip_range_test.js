/** `ipRangeCheck`. Source: contract.md, section 5. */

import { ipRangeCheck } from "../../src/authpipe/runtime/worker/ip_range.js";
import { equal } from "./assert.js";

const RANGE = ["110.53.254.1", "110.53.254.255"];
const CASES = [
  ["110.53.254.1", RANGE, true],
  ["110.53.254.255", RANGE, true],
  ["110.53.254.0", RANGE, false],
  ["110.53.255.0", RANGE, false],
  ["::ffff:110.53.254.7", RANGE, true],
  ["::ffff:6e35:fe07", RANGE, true],
  [" 110.53.254.7 ", RANGE, true],
  ["110.53.254.7", [RANGE, "10.0.0.0/8"], true],
  ["10.1.2.3", [RANGE, "10.0.0.0/8"], true],
  ["11.1.2.3", "10.0.0.0/8", false],
  ["10.1.2.3", "10.1.2.3", true],
  ["1.2.3.4", "0.0.0.0/0", true],
  ["::1", "0.0.0.0/0", false],
  ["2001:db8::5", "2001:db8::/32", true],
  ["2001:db9::5", "2001:db8::/32", false],
  ["2001:db8::5", ["2001:db8::1", "2001:db8::9"], true],
  ["2001:db8::a", ["2001:db8::1", "2001:db8::9"], false],
  ["fe80::1%eth0", "fe80::/10", true],
  ["10.0.0.1", "::ffff:10.0.0.0/104", true],
  ["110.53.254.300", RANGE, false],
  ["110.053.254.7", RANGE, false],
  ["110.53.254", RANGE, false],
  ["", RANGE, false],
  [undefined, RANGE, false],
  [null, RANGE, false],
  [{}, RANGE, false],
  ["1:2", RANGE, false],
  ["1::2::3", "::/0", false],
  ["1:2:3:4:5:6:7:8:9", "::/0", false],
  ["1:2:3:4:5:6:7:8", "::/0", true],
  ["10.0.0.1", "10.0.0.0/33", false],
  ["10.0.0.1", "10.0.0.0/-1", false],
  ["10.0.0.1", "10.0.0.0/8/8", false],
  ["10.0.0.1", "nonsense", false],
  ["10.0.0.1", undefined, false],
  ["10.0.0.1", [], false],
];

Deno.test("addresses and ranges", async (t) => {
  for (const [ip, range, inside] of CASES) {
    await t.step(`${ip} in ${JSON.stringify(range)}`, () => equal(ipRangeCheck(ip, range), inside));
  }
});
