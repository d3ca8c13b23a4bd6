const MOST_AHEAD = 100;

/**
 * Middleware: requests of one connection are worked on one after the other, as they are answered. Node begins each as
 * soon as it is read, and tells nobody of the end of an answer that never had the connection: what such a request
 * holds (a place, a listener) it would hold for ever. One that sends ahead without end is cut off: there is no other
 * answer to it before its turn.
 */
export function answerInOrder() {
  const ahead = new WeakMap();
  return function waitForConnection({ socket }, response, next) {
    if (response.socket) return next();
    const count = (ahead.get(socket) ?? 0) + 1;
    if (count > MOST_AHEAD) return socket.destroy();
    ahead.set(socket, count);
    response.once('socket', () => {
      ahead.set(socket, ahead.get(socket) - 1);
      next();
    });
  };
}
