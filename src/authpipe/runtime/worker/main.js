// @ts-check
/** The worker program: one process, one user pool, frames in and frames out. */

import { install } from "./globals.js";
import { serve } from "./serve.js";
import { catchAll } from "./uncaught.js";

install();
catchAll();
serve();
