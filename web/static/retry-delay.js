// @ts-check
/**
 * When the SDK is going to try again. It has no event for that, so this listens in where it works
 * out the delay; with a version that does it elsewhere there is no countdown, and all else works
 * (tests/page/retry-delay.test.mjs says whether it does).
 *
 * @param {import('centrifuge').Centrifuge} centrifuge
 * @param {(ms: number) => void} listener
 */
export function onRetryScheduled(centrifuge, listener) {
  const inside = /** @type {{ _getReconnectDelay?: () => number }} */ (
    /** @type {unknown} */ (centrifuge)
  );
  const original = inside._getReconnectDelay;
  if (typeof original !== 'function') return;
  inside._getReconnectDelay = () => {
    const ms = original.call(centrifuge);
    listener(ms);
    return ms;
  };
}
