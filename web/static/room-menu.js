// @ts-check
/** What can be done with a room, from its row and from its header. */

import { kindOf, LOBBY } from './channels.js';
import { Icon } from './icons.js';
import { Menu } from './menu.js';
import { titleIn } from './titles.js';
import { html } from './vendor/preact.js';

/** @import { Actions } from './app.js' */
/** @import { Open } from './dialogs.js' */
/** @import { State } from './store.js' */

/** @param {{ state: State, channel: string, actions: Actions, open: Open, className?: string }} props */
export function RoomMenu({ state, channel, actions, open, className = 'icon' }) {
  const kind = kindOf(channel);
  const isMuted = state.places.get(channel)?.notify === false;
  const moderates = state.rooms.get(channel)?.moderates ?? false;
  const items = () => [
    {
      words: isMuted ? 'Unmute' : 'Mute',
      onSelect: () => actions.notify(channel, isMuted),
    },
    kind !== 'direct' &&
      maySetTopic(state, channel) && {
        words: 'Change topic…',
        onSelect: () => open({ type: 'topic', channel }),
      },
    kind === 'private' && {
      words: 'Invite people…',
      onSelect: () => open({ type: 'invite', channel }),
    },
    moderates && {
      words: 'Bans and record…',
      onSelect: () => open({ type: 'record', channel }),
    },
    channel !== LOBBY && {
      words: kind === 'direct' ? 'Close conversation' : kind === 'private' ? 'Leave room…' : 'Leave room',
      isDanger: kind === 'private',
      onSelect: () =>
        kind === 'private' ? open({ type: 'leave', channel }) : actions.leave(channel),
    },
  ];
  return html`
    <${Menu} label=${`Menu of ${titleIn(state, channel)}`} className=${className} items=${items}>
      <${Icon} name="more" />
    <//>
  `;
}

/** Guests may not, but where they moderate. @param {State} state @param {string} channel */
export function maySetTopic({ self, rooms }, channel) {
  const isGuest = self?.user.startsWith('guest-') ?? true;
  return !isGuest || (rooms.get(channel)?.moderates ?? false);
}
