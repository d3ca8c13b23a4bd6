// Every collection of every database but MongoDB's own, a line a document in canonical extended JSON: types, binary data
// and identifiers come back as they were. Run by mongosh; MODE is `dump` or `restore`.
const fs = require('fs');

const FORMAT = 'layerstack-mongo-1';
const BATCH_BYTES = 8 * 1024 * 1024;
const BATCH_DOCUMENTS = 1000;
const OWN = ['admin', 'config', 'local'];

const login = [process.env.MONGO_INITDB_ROOT_USERNAME, process.env.MONGO_INITDB_ROOT_PASSWORD];
// Of a replica set as mongodump takes it, NAME/HOST,HOST: only its primary takes writes.
const [hosts, set] = (process.env.MONGO_HOSTS ?? '127.0.0.1:27017').split('/').reverse();
const options = set ? `?replicaSet=${set}` : '';
const admin = connect(`mongodb://${login.map(encodeURIComponent).join(':')}@${hosts}/admin${options}`);
const databases = () =>
  admin.adminCommand({ listDatabases: 1 }).databases.map((found) => found.name).filter((name) => !OWN.includes(name));

// A pipe that is full, or still empty, says so with EAGAIN: wait a moment for who is at its other end.
function patiently(transfer) {
  for (;;) {
    try {
      return transfer();
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function line(value) {
  let rest = Buffer.from(EJSON.stringify(value, { relaxed: false }) + '\n');
  while (rest.length) rest = rest.subarray(patiently(() => fs.writeSync(1, rest)));
}

function dump() {
  line({ format: FORMAT });
  for (const name of databases()) {
    const database = admin.getSiblingDB(name);
    for (const found of database.getCollectionInfos({ type: 'collection' })) {
      if (found.name.startsWith('system.')) continue;
      const collection = database.getCollection(found.name);
      const indexes = collection.getIndexes().filter((index) => index.name !== '_id_');
      line({ collection: { database: name, name: found.name, options: found.options, indexes } });
      collection.find().forEach((document) => line({ document }));
    }
  }
}

// Each line of descriptor 3; a document may be larger than what one read gives. No generator: mongosh awaits nothing in one.
function forEachLine(take) {
  const chunk = Buffer.alloc(1 << 20);
  let rest = Buffer.alloc(0);
  for (;;) {
    const size = patiently(() => fs.readSync(3, chunk, 0, chunk.length, null));
    if (size === 0) break;
    rest = Buffer.concat([rest, chunk.subarray(0, size)]);
    let from = 0;
    for (let end; (end = rest.indexOf(10, from)) >= 0; from = end + 1) take(rest.toString('utf8', from, end));
    rest = rest.subarray(from);
  }
  if (rest.length) throw new Error('the backup ends in the middle of a line');
}

function restore() {
  let collection = null;
  let indexes = [];
  let batch = [];
  let bytes = 0;
  const flush = () => {
    if (batch.length) collection.insertMany(batch);
    batch = [];
    bytes = 0;
  };
  const finish = () => {
    flush();
    for (const { key, v, ns, ...options } of indexes) collection.createIndex(key, options);
  };
  let isFirst = true;
  forEachLine((text) => {
    const value = EJSON.parse(text, { relaxed: false });
    if (isFirst) {
      if (value.format !== FORMAT) throw new Error('this is no backup that backup.js has made');
      // Not with forEach: mongosh waits for its calls in loops, not in callbacks.
      for (const name of databases()) admin.getSiblingDB(name).dropDatabase();
      isFirst = false;
    } else if (value.collection) {
      finish();
      const { database, name, options } = value.collection;
      admin.getSiblingDB(database).createCollection(name, options);
      collection = admin.getSiblingDB(database).getCollection(name);
      indexes = value.collection.indexes;
    } else {
      batch.push(value.document);
      bytes += text.length;
      if (bytes > BATCH_BYTES || batch.length >= BATCH_DOCUMENTS) flush();
    }
  });
  if (isFirst) throw new Error('the backup is empty');
  finish();
}

process.env.MODE === 'restore' ? restore() : dump();
