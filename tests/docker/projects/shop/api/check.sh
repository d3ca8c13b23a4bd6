#!/bin/sh
exec node -e "fetch('http://127.0.0.1:8000/health').then(async (r) => { console.log(await r.text()); process.exit(r.ok ? 0 : 1); }, (e) => { console.log(String(e.cause)); process.exit(1); })"
