const POLL_MS = 300;
const FIELDS = Object.fromEntries(
  ['status', 'revision', 'history', 'progress', 'people', 'error', 'isDeleted', 'deletedAt'].map((name) => [
    `metadata.${name}`,
    1,
  ]),
);

/**
 * Tells listeners how analyses change, whichever process of the API changes them: one question to the
 * database for all of them, and none while nobody listens.
 */
export class ChangeFeed {
  /** @param {import('./database.js').Database} database */
  constructor({ files }, logger) {
    this.files = files;
    this.logger = logger;
    this.listeners = new Set();
    this.timer = null;
  }

  /**
   * @param {import('mongodb').ObjectId} id
   * @param {(file: object | null) => void} tell  gets the document now and after every change; null when
   *   it is gone
   * @returns {() => void} stops listening
   */
  listen(id, tell) {
    const listener = { id, tell, revision: -1 };
    this.listeners.add(listener);
    this.timer ??= setTimeout(() => this.poll(), 0);
    return () => this.listeners.delete(listener);
  }

  async poll() {
    const started = [...this.listeners];
    try {
      await this.ask(started);
    } catch (error) {
      this.logger.debug({ cause: error.message }, 'changes cannot be read');
    }
    this.timer = this.listeners.size > 0 ? setTimeout(() => this.poll(), POLL_MS) : null;
  }

  async ask(listeners) {
    const ids = [...new Map(listeners.map(({ id }) => [id.toHexString(), id])).values()];
    const files = await this.files.find({ _id: { $in: ids } }, { projection: FIELDS }).toArray();
    const byId = new Map(files.map((file) => [file._id.toHexString(), file]));
    for (const listener of listeners) this.tell(listener, byId.get(listener.id.toHexString()) ?? null);
  }

  tell(listener, file) {
    const revision = file?.metadata.revision ?? Infinity;
    if (revision === listener.revision || !this.listeners.has(listener)) return;
    listener.revision = revision;
    listener.tell(file);
  }
}
