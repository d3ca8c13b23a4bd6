import { shout } from "./library.mjs";

process.stdout.write(shout("app"));
