// @ts-check
/** What a search found, the newest first, with the words that were looked for marked. */

import { Avatar } from './avatar.js';
import { dayName, exactTime, isoTime, shortTime } from './dates.js';
import { excerpt, marked, phrasesOf } from './marks.js';
import { placeIn } from './titles.js';
import { html, useMemo } from './vendor/preact.js';

/** @import { Phrase } from './marks.js' */
/** @import { Result, Search } from './search-state.js' */
/** @import { State } from './store.js' */

const LONGEST_EXCERPT = 280;

/**
 * @param {object} props
 * @param {Search} props.search
 * @param {{ channel: string, results: Result[] }[]} props.groups
 * @param {boolean} props.isEverywhere
 * @param {State} props.state
 * @param {() => void} props.onMore
 * @param {() => void} props.onRetry
 * @param {(channel: string, offset: number) => void} props.onGo
 */
export function SearchResults({ search, groups, isEverywhere, state, onMore, onRetry, onGo }) {
  const { status, problem, results, query, before, isAdding } = search;
  const phrases = useMemo(() => phrasesOf(query), [query]);
  return html`
    <p class="found muted small" role="status">${summary(search)}</p>
    ${
      status === 'failed' &&
      html`<div class="notice">
        <p class="problem" role="alert">The search did not work: ${problem}</p>
        <button onClick=${onRetry}>Try again</button>
      </div>`
    }
    ${status === 'idle' && html`<p class="notice">Search what was said in the rooms that you can read.</p>`}
    ${
      status === 'done' &&
      results.length === 0 &&
      html`<p class="notice">Nothing found${!isEverywhere && ' in this room'}.</p>`
    }
    <div class="results" aria-busy=${status === 'loading' ? 'true' : undefined}>
      ${status !== 'failed' &&
      groups.map(
        ({ channel, results: some }) => html`<section key=${`${channel}-${some[0]?.offset}`}>
          ${isEverywhere && html`<h3><bdi>${placeIn(state, channel)}</bdi></h3>`}
          <ul aria-label=${placeIn(state, channel)}>
            ${some.map(
              (result) => html`<li key=${result.offset}>
                <${Hit} result=${result} phrases=${phrases} onGo=${onGo} />
              </li>`,
            )}
          </ul>
        </section>`,
      )}
      ${
        status !== 'failed' &&
        before !== null &&
        html`<div class="more">
          ${problem && html`<p class="problem small" role="alert">${problem}</p>`}
          <button aria-disabled=${isAdding ? 'true' : undefined} onClick=${onMore}>
            ${isAdding ? 'Loading…' : 'Show more'}
          </button>
        </div>`
      }
    </div>
  `;
}

/**
 * @param {object} props
 * @param {Result} props.result
 * @param {readonly Phrase[]} props.phrases
 * @param {(channel: string, offset: number) => void} props.onGo
 */
function Hit({ result: { channel, offset, user, name, text, time }, phrases, onGo }) {
  const parts = useMemo(
    () => excerpt(marked(text, phrases), LONGEST_EXCERPT),
    [text, phrases],
  );
  return html`
    <button class="hit" onClick=${() => onGo(channel, offset)}>
      <${Avatar} user=${user} name=${name} />
      <span class="hit-author"><bdi>${name}</bdi></span>
      <time class="muted small" datetime=${isoTime(time)} title=${exactTime(time)}>
        ${when(time)}
      </time>
      <span class="hit-text" dir="auto">
        ${parts.map(({ text: part, isHit }) => (isHit ? html`<mark>${part}</mark>` : part))}
      </span>
    </button>
  `;
}

/** @param {number} time */
function when(time) {
  const day = dayName(time);
  return day === 'Today' ? shortTime(time) : `${day}, ${shortTime(time)}`;
}

/** @param {Search} search */
function summary({ status, results, before }) {
  if (status === 'loading') return 'Searching…';
  if (status !== 'done' || results.length === 0) return '';
  const count = before === null ? `${results.length}` : `The newest ${results.length}`;
  return `${count} ${results.length === 1 ? 'message' : 'messages'}`;
}
