// @ts-check
/** Search: words and filters above, what was found below; a result leads to its message. */

import { pace } from './pace.js';
import { grouped, LONGEST_QUERY, NO_SEARCH, reduceSearch, requestOf } from './search-state.js';
import { SearchResults } from './search-results.js';
import { titleIn } from './titles.js';
import { html, useEffect, useRef, useState } from './vendor/preact.js';

/** @import { Actions } from './app.js' */
/** @import { State } from './store.js' */
/** @import { Filters } from './search-state.js' */

/** What was looked for last: the panel comes back as it was. */
let last = NO_SEARCH;

/** @param {{ state: State, actions: Actions, onGo: () => void }} props */
export function SearchPanel({ state, actions, onGo }) {
  const [search, setSearch] = useState(last);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const { channel } = state;
  const { filters } = search;
  const request = requestOf(filters, channel);
  const asked = JSON.stringify(request);

  /** @param {import('./search-state.js').SearchEvent} event */
  const dispatch = (event) => {
    last = reduceSearch(last, event);
    setSearch(last);
  };

  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  useEffect(() => {
    if (request === null) return undefined;
    const timer = setTimeout(() => find(request, filters.query), pace.delay());
    return () => clearTimeout(timer);
  }, [asked]);

  /** @param {object} wanted @param {string} query */
  const find = async (wanted, query) => {
    const round = last.round + 1;
    dispatch({ type: 'asked', round });
    pace.asked();
    const { data, problem } = await actions.ask('search', wanted);
    if (problem) dispatch({ type: 'failed', round, problem });
    else dispatch({ type: 'answered', round, query, data });
  };

  const more = async () => {
    const { round, before, isAdding } = last;
    if (request === null || before === null || isAdding) return;
    dispatch({ type: 'moreAsked' });
    pace.asked();
    const { data, problem } = await actions.ask('search', { ...request, before });
    if (problem) dispatch({ type: 'failed', round, problem });
    else dispatch({ type: 'moreAnswered', round, data });
  };

  /** @param {Partial<Filters>} changed */
  const change = (changed) => dispatch({ type: 'changed', filters: changed });

  /** @param {SubmitEvent} event */
  const onSubmit = (event) => {
    event.preventDefault();
    if (request !== null) find(request, filters.query);
  };

  return html`
    <div class="search">
      <search>
        <form class="stack" onSubmit=${onSubmit}>
          <label class="visually-hidden" for="query">Words to look for</label>
          <input
            id="query"
            ref=${field}
            type="search"
            placeholder="Words, or “words in a row”"
            enterkeyhint="search"
            autocomplete="off"
            maxlength=${LONGEST_QUERY}
            value=${filters.query}
            onInput=${(/** @type {any} */ event) => change({ query: event.currentTarget.value })}
          />
          <${Choices} ...${{ state, filters, change }} />
        </form>
      </search>
      <${SearchResults}
        search=${request === null ? NO_SEARCH : search}
        groups=${request === null ? [] : grouped(search.results)}
        isEverywhere=${filters.everywhere || channel === null}
        state=${state}
        onMore=${more}
        onRetry=${() => request !== null && find(request, filters.query)}
        onGo=${(/** @type {string} */ to, /** @type {number} */ offset) => {
          onGo();
          actions.go(to, offset);
        }}
      />
    </div>
  `;
}

/**
 * @param {{ state: State, filters: Filters, change: (filters: Partial<Filters>) => void }} props
 */
function Choices({ state, filters, change }) {
  const { channel, people, self } = state;
  const persons = [...people].sort(([, a], [, b]) => a.localeCompare(b));
  return html`
    <div class="filters">
      <label>
        <span>In</span>
        <select
          value=${filters.everywhere ? 'all' : 'here'}
          onChange=${(/** @type {any} */ event) => change({ everywhere: event.currentTarget.value === 'all' })}
        >
          ${channel !== null && html`<option value="here">${titleIn(state, channel)}</option>`}
          <option value="all">All rooms</option>
        </select>
      </label>
      <label>
        <span>From</span>
        <select
          value=${filters.user}
          onChange=${(/** @type {any} */ event) => change({ user: event.currentTarget.value })}
        >
          <option value="">Anybody</option>
          ${self && html`<option value=${self.user}>Me</option>`}
          ${persons
            .filter(([user]) => user !== self?.user)
            .map(([user, name]) => html`<option key=${user} value=${user}>${name}</option>`)}
        </select>
      </label>
      <${Day} label="Since" value=${filters.since} onChange=${(/** @type {string} */ since) => change({ since })} />
      <${Day} label="Until" value=${filters.until} onChange=${(/** @type {string} */ until) => change({ until })} />
    </div>
  `;
}

/** @param {{ label: string, value: string, onChange: (day: string) => void }} props */
function Day({ label, value, onChange }) {
  return html`
    <label>
      <span>${label}</span>
      <input
        type="date"
        value=${value}
        onInput=${(/** @type {any} */ event) => onChange(event.currentTarget.value)}
      />
    </label>
  `;
}
