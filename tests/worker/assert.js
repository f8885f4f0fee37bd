/** Assertions for the worker tests. */

import { deepStrictEqual, match, ok } from "node:assert/strict";

export const equal = deepStrictEqual;
export const matches = match;
export const yes = ok;
