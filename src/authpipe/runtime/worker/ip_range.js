// @ts-check
/** `require('./utils')`: is an address inside a range? Source: contract.md, section 5. */

const V4_IN_V6 = 0xffffn << 32n;

/**
 * @param {unknown} ip IPv4, IPv6 or IPv4-mapped text
 * @param {any} range [start, end] (both inclusive), a CIDR or a single address, or a list of these
 * @returns {boolean} false for anything invalid
 */
export function ipRangeCheck(ip, range) {
  const address = parseAddress(ip);
  if (address === null) return false;
  if (typeof range === "string") return inText(address, range);
  if (!Array.isArray(range)) return false;
  if (range.length === 2 && range.every((end) => parseAddress(end) !== null)) {
    const [low, high] = range.map(parseAddress);
    return low <= address && address <= high;
  }
  return range.some((entry) => ipRangeCheck(ip, entry));
}

/** @param {bigint} address @param {string} text */
function inText(address, text) {
  const [base, bits, ...rest] = text.split("/");
  const network = parseAddress(base);
  if (network === null || rest.length > 0) return false;
  if (bits === undefined) return address === network;
  const width = base.includes(":") ? 128 : 32;
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > width) return false;
  const shift = BigInt(width - Number(bits));
  return address >> shift === network >> shift;
}

/**
 * Every address as a 128-bit number, IPv4 as IPv4-mapped IPv6.
 * @param {unknown} text
 * @returns {any}
 */
function parseAddress(text) {
  if (typeof text !== "string") return null;
  const trimmed = text.trim();
  if (!trimmed.includes(":")) {
    const number = parseV4(trimmed);
    return number === null ? null : V4_IN_V6 + number;
  }
  return parseV6(trimmed.replace(/%.*$/, ""));
}

/** @param {string} text */
function parseV4(text) {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  let number = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    number = (number << 8n) + BigInt(part);
  }
  return number;
}

/** @param {string} text */
function parseV6(text) {
  const halves = withV4Tail(text)?.split("::");
  if (halves === undefined || halves.length > 2) return null;
  const [head, tail] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array(missing).fill("0"), ...(tail ?? [])];
  let number = 0n;
  for (const group of groups) {
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return null;
    number = (number << 16n) + BigInt(`0x${group}`);
  }
  return number;
}

/** A dotted tail as two groups. @param {string} text */
function withV4Tail(text) {
  if (!text.includes(".")) return text;
  const at = text.lastIndexOf(":") + 1;
  const number = parseV4(text.slice(at));
  if (number === null) return undefined;
  return `${text.slice(0, at)}${(number >> 16n).toString(16)}:${(number & 0xffffn).toString(16)}`;
}
