// @ts-check
/** Which rooms one was in last, for as long as the browser keeps it. */

const MOST = 20;

/** @param {{ load: () => string, save: (value: string) => void }} saved */
export function createRecent(saved) {
  let channels = read(saved.load());

  /** @param {string[]} next */
  const keep = (next) => {
    channels = next.slice(0, MOST);
    saved.save(JSON.stringify(channels));
  };

  return {
    /** @param {string} channel */
    add: (channel) => keep([channel, ...channels.filter((each) => each !== channel)]),
    /** @param {string} channel */
    drop: (channel) => keep(channels.filter((each) => each !== channel)),
    /** But for this one, the last one first. @param {string | null} channel */
    others: (channel) => channels.filter((each) => each !== channel),
  };
}

/** @param {string} text @returns {string[]} */
function read(text) {
  try {
    const list = JSON.parse(text || '[]');
    return Array.isArray(list) ? list.filter((each) => typeof each === 'string') : [];
  } catch {
    return []; // somebody else's
  }
}
