import { parse } from "acorn";
export default { parse };
