import { EventEmitter } from 'node:events';

/** Tells listeners in this process how analyses get on. An event: {status, at}, or {status: 'deleted'}. */
export class Progress {
  constructor() {
    this.emitter = new EventEmitter().setMaxListeners(0);
  }

  /** @param {object} file  the document after its latest step */
  report(file) {
    this.emitter.emit(file._id.toHexString(), file.metadata.history.at(-1));
  }

  reportDeleted(id) {
    this.emitter.emit(id.toHexString(), { status: 'deleted', at: new Date() });
  }

  /** @returns {() => void} stops listening */
  listen(id, listener) {
    const name = id.toHexString();
    this.emitter.on(name, listener);
    return () => this.emitter.off(name, listener);
  }
}
