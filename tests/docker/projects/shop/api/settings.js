const { readFileSync } = require('node:fs');

exports.readSettings = () => readFileSync('/srv/api/settings.txt', 'utf8');
