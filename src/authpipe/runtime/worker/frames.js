// @ts-check
/** Frames on standard input and output, synchronously; the twin of `wire.py`. */

import { byteLength, Bytes, decode, encodeInto, read, readSync, setBytes, writeSync } from "./primordials.js";

export const VERSION = 1;
const HEADER = 6;
const LARGEST = 16 * 1024 * 1024;

/** The closed set of frame types. */
export const LOAD = 1;
export const RUN = 2;
export const START_MARK = 3;
export const LOG = 4;
export const HOST_CALL_OPEN = 5;
export const HOST_CALL_CHUNK = 6;
export const HOST_CALL_CREDIT = 7;
export const HOST_CALL_END = 8;
export const RESULT = 9;
export const CANCEL = 10;
export const READY = 11;
export const CHECK = 12;
export const CHECKED = 13;

let input = new Bytes(64 * 1024);
let capacity = 64 * 1024;
let start = 0;
let end = 0;

let output = new Bytes(64 * 1024);
let room = 64 * 1024;
let body = new Bytes(output.buffer, HEADER);

/** Frame types seen by the last `next`. */
export let kind = 0;

/** The text of the next whole frame that was read, its type in `kind`; null when there is none. */
export function next() {
  if (end - start < HEADER) return null;
  const size = ((input[start] << 24) | (input[start + 1] << 16) | (input[start + 2] << 8) | input[start + 3]) + 4;
  if (size < HEADER || size > LARGEST) throw 0;
  if (end - start < size) {
    if (size > capacity) grow(size);
    return null;
  }
  kind = input[start + 5];
  const text = decode(new Bytes(input.buffer, start + HEADER, size - HEADER));
  start += size;
  if (start === end) start = end = 0;
  return text;
}

/** Waits for bytes. False at the end of input. */
export function fill() {
  makeRoom();
  return took(readSync(new Bytes(input.buffer, end, capacity - end)));
}

/** The same as a promise of how many bytes came; hand the number to `took`. */
export function fillLater() {
  makeRoom();
  return read(new Bytes(input.buffer, end, capacity - end));
}

/** Notes that bytes came. False at the end of input. @param {number | null} count */
export function took(count) {
  if (count === null || count <= 0) return false;
  end += count;
  return true;
}

function makeRoom() {
  if (end < capacity) return;
  if (start > 0) {
    setBytes(input, new Bytes(input.buffer, start, end - start), 0);
    end -= start;
    start = 0;
  } else {
    grow(capacity * 2);
  }
}

/** @param {number} size */
function grow(size) {
  const larger = new Bytes(size);
  setBytes(larger, new Bytes(input.buffer, start, end - start), 0);
  input = larger;
  capacity = size;
  end -= start;
  start = 0;
}

/** Writes one frame before it returns. @param {number} type @param {string} text */
export function send(type, text) {
  if (text.length * 3 + HEADER > room) enlarge(byteLength(text) + HEADER + 16);
  const size = encodeInto(text, body).written + HEADER;
  const length = size - 4;
  output[0] = length >>> 24;
  output[1] = length >>> 16;
  output[2] = length >>> 8;
  output[3] = length;
  output[4] = VERSION;
  output[5] = type;
  let written = 0;
  while (written < size) written += writeSync(new Bytes(output.buffer, written, size - written));
}

/** @param {number} size */
function enlarge(size) {
  if (size <= room) return;
  output = new Bytes(size);
  room = size;
  body = new Bytes(output.buffer, HEADER);
}
