// @ts-check
/** axios and fetch while outbound requests are not enabled: present, and answering clearly. */

import { coded } from "./hostcalls.js";
import { Later } from "./primordials.js";

const TEXT = "outbound requests are not enabled";
const CODE = "ERR_EGRESS_DISABLED";

/** Gives axios an adapter that refuses. @param {any} axios */
export function refuseRequests(axios) {
  const { AxiosError } = axios;
  axios.defaults.adapter = (/** @type {any} */ config) =>
    new Later((_, reject) => reject(new AxiosError(TEXT, CODE, config)));
  return axios;
}

/** Stands in for `fetch`. */
export function fetch() {
  return new Later((_resolve, reject) => reject(coded(CODE, TEXT)));
}
