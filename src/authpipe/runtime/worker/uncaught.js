// @ts-check
/** Errors nobody caught: never the end of the process, always somebody's. */

import { current } from "./invocation.js";
import { onRejection, onUncaught } from "./primordials.js";
import { onlyInvocation } from "./serve.js";

/** Takes over from Deno, which would end the process. */
export function catchAll() {
  onRejection((/** @type {unknown} */ _promise, /** @type {unknown} */ reason) => {
    blame(reason);
    return true;
  });
  onUncaught(blame);
}

/** @param {unknown} error */
function blame(error) {
  (current() ?? onlyInvocation())?.threw(error);
}
