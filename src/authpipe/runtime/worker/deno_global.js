// @ts-check
/** Where `Deno` is hidden, and shown again only while Deno's own code loads something that looks for it. */

const real = Deno;
let shown = false;

/** Node's own modules look `Deno` up when they are loaded, so the name cannot simply be deleted. */
export function hideDeno() {
  Object.defineProperty(globalThis, "Deno", { configurable: false, get: () => (shown ? real : undefined) });
}

/** What `load` returns; it may see `Deno`. @template T @param {() => T} load @returns {T} */
export function withDeno(load) {
  const before = shown;
  shown = true;
  try {
    return load();
  } finally {
    shown = before;
  }
}
