// @ts-check
/**
 * Notifications of the browser: for what names the user, or was written to them, while they do not
 * see it. They are asked for only when the bell is pressed.
 */

import { LOGO } from './logo.js';
import { titleIn } from './titles.js';

/** @import { Notice } from './notices.js' */
/** @import { Bell, State } from './store.js' */

/**
 * Whether a notice is worth a notification: not from a muted room, and not while it is in sight.
 *
 * @param {State} state
 * @param {Notice} notice
 */
export function calls({ hidden, channel, places }, notice) {
  if (notice.type !== 'mention' && notice.type !== 'direct') return false;
  if (places.get(notice.channel)?.notify === false) return false;
  return hidden || channel !== notice.channel;
}

/**
 * @param {{ load: () => string, save: (value: string) => void }} saved whether the bell is on
 * @param {(channel: string, offset: number) => void} onOpen
 */
export function createNotifier(saved, onOpen) {
  const isSupported = typeof Notification === 'function';

  return {
    /** @returns {Bell} */
    get bell() {
      if (!isSupported) return 'unsupported';
      if (Notification.permission === 'denied') return 'denied';
      return Notification.permission === 'granted' && saved.load() === 'on' ? 'on' : 'off';
    },

    /** The bell was pressed. */
    async toggle() {
      if (!isSupported) return;
      saved.save(this.bell === 'on' ? 'off' : 'on');
      if (Notification.permission === 'default') await Notification.requestPermission();
    },

    /** @param {State} state @param {Notice} notice */
    notify(state, notice) {
      if (this.bell !== 'on' || !calls(state, notice)) return;
      const { type, channel, offset, from, text } = /** @type {import('./notices.js').Call} */ (notice);
      const who = from.name || 'Someone';
      // Several tabs of one user show the same one once.
      const notification = new Notification(type === 'direct' ? who : `${who} in ${titleIn(state, channel)}`, {
        body: text,
        tag: `${channel}#${offset}`,
        icon: LOGO,
      });
      notification.addEventListener('click', () => {
        window.focus();
        notification.close();
        onOpen(channel, offset);
      });
    },
  };
}
